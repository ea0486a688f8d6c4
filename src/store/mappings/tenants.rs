//! Microsoft tenants that are mapped: of some Accounts, or these tenants wherever they are mapped (B12).

use std::collections::BTreeMap;

use sea_orm::sea_query::{Expr, ExprTrait, Query};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, JoinType, QueryFilter, QueryOrder,
    QuerySelect, Select,
};
use uuid::Uuid;

use crate::domain::ids::{AccountId, ProviderAccountId, ProviderId};
use crate::domain::mapping::MappingState;
use crate::domain::provider_account::DomainSource;
use crate::store::entities::provider_account::{Column, Entity};
use crate::store::entities::{provider, provider_account_domain};
use crate::store::{StoreError, bulk};

/// A mapped Provider Account, by its tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MappedTenant {
    /// The Provider Account.
    pub provider_account_id: ProviderAccountId,
    /// Its name.
    pub name: String,
    /// Its provider.
    pub provider_id: ProviderId,
    /// Its tenant, where known.
    pub tenant_id: Option<String>,
    /// The Account it is mapped to.
    pub account_id: AccountId,
}

type Tuple = (Uuid, String, Uuid, Option<String>, Uuid);

/// What is mapped to these Accounts.
///
/// # Errors
/// When the database refuses.
pub async fn at_accounts(
    connection: &impl ConnectionTrait,
    accounts: &[AccountId],
) -> Result<Vec<MappedTenant>, StoreError> {
    let mut found = Vec::new();
    for chunk in accounts.chunks(bulk::IDS_AT_ONCE) {
        let these = Column::AccountId.is_in(chunk.iter().map(|id| id.as_uuid()));
        found.extend(read(connection, Condition::all().add(these)).await?);
    }
    Ok(found)
}

/// Where these tenants are mapped.
///
/// # Errors
/// When the database refuses.
pub async fn of_tenants(
    connection: &impl ConnectionTrait,
    tenants: &[&str],
) -> Result<Vec<MappedTenant>, StoreError> {
    let mut found = Vec::new();
    for chunk in tenants.chunks(bulk::IDS_AT_ONCE) {
        let these = Column::TenantId.is_in(chunk.iter().copied());
        let mapped = Condition::all()
            .add(these)
            .add(Column::AccountId.is_not_null());
        found.extend(read(connection, mapped).await?);
    }
    Ok(found)
}

async fn read(
    connection: &impl ConnectionTrait,
    condition: Condition,
) -> Result<Vec<MappedTenant>, StoreError> {
    let rows: Vec<Tuple> = Entity::find()
        .select_only()
        .columns([
            Column::Id,
            Column::Name,
            Column::ProviderId,
            Column::TenantId,
            Column::AccountId,
        ])
        .filter(condition)
        .into_tuple()
        .all(connection)
        .await?;
    let mapped = rows.into_iter().map(|row| MappedTenant {
        provider_account_id: ProviderAccountId::new(row.0),
        name: row.1,
        provider_id: ProviderId::new(row.2),
        tenant_id: row.3,
        account_id: AccountId::new(row.4),
    });
    Ok(mapped.collect())
}

/// A Provider Account, mapped or not, as one provider knows the customer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// The Provider Account.
    pub provider_account_id: ProviderAccountId,
    /// Its name.
    pub name: String,
    /// Its provider.
    pub provider_id: ProviderId,
    /// The provider's name.
    pub provider: String,
    /// The Account it is mapped to.
    pub account_id: Option<AccountId>,
    /// Name of that Account.
    pub account_name: Option<String>,
}

type SeenTuple = (
    Uuid,
    String,
    Uuid,
    Option<Uuid>,
    Option<String>,
    String,
    String,
);

/// Provider Accounts by tenant, of tenants that several have. Excluded ones are left out.
///
/// # Errors
/// When the database refuses.
pub async fn shared_tenants(
    connection: &impl ConnectionTrait,
) -> Result<BTreeMap<String, Vec<Seen>>, StoreError> {
    let several = Query::select()
        .column(Column::TenantId)
        .from(Entity)
        .and_where(Column::TenantId.is_not_null())
        .group_by_col(Column::TenantId)
        .and_having(Expr::col(Column::Id).count().gt(1))
        .to_owned();
    let rows = seen()
        .column_as(Column::TenantId, "shared")
        .filter(Column::TenantId.in_subquery(several));
    grouped(connection, rows).await
}

/// Provider Accounts by one of their own domains, of domains that several have. Excluded ones are left out.
///
/// # Errors
/// When the database refuses.
pub async fn shared_domains(
    connection: &impl ConnectionTrait,
) -> Result<BTreeMap<String, Vec<Seen>>, StoreError> {
    use provider_account_domain::Column as Domain;
    let custom = DomainSource::Custom.name();
    let several = Query::select()
        .column(Domain::Domain)
        .from(provider_account_domain::Entity)
        .and_where(Domain::Source.eq(custom))
        .group_by_col(Domain::Domain)
        .and_having(Expr::col(Domain::ProviderAccountId).count().gt(1))
        .to_owned();
    let theirs = Entity::belongs_to(provider_account_domain::Entity)
        .from(Column::Id)
        .to(Domain::ProviderAccountId)
        .into();
    let rows = seen()
        .join(JoinType::InnerJoin, theirs)
        .column_as(Domain::Domain, "shared")
        .filter(Domain::Source.eq(custom))
        .filter(Domain::Domain.in_subquery(several));
    grouped(connection, rows).await
}

fn seen() -> Select<Entity> {
    let provider = Entity::belongs_to(provider::Entity)
        .from(Column::ProviderId)
        .to(provider::Column::Id)
        .into();
    Entity::find()
        .select_only()
        .join(JoinType::InnerJoin, provider)
        .columns([
            Column::Id,
            Column::Name,
            Column::ProviderId,
            Column::AccountId,
            Column::AccountName,
        ])
        .column_as(provider::Column::Name, "provider")
        .filter(Column::MappingState.ne(MappingState::Excluded.name()))
        .order_by_asc(Column::Id)
}

async fn grouped(
    connection: &impl ConnectionTrait,
    rows: Select<Entity>,
) -> Result<BTreeMap<String, Vec<Seen>>, StoreError> {
    let rows: Vec<SeenTuple> = rows.into_tuple().all(connection).await?;
    let mut groups: BTreeMap<String, Vec<Seen>> = BTreeMap::new();
    for (id, name, provider_id, account_id, account_name, provider, shared) in rows {
        groups.entry(shared).or_default().push(Seen {
            provider_account_id: ProviderAccountId::new(id),
            name,
            provider_id: ProviderId::new(provider_id),
            provider,
            account_id: account_id.map(AccountId::new),
            account_name,
        });
    }
    groups.retain(|_, seen| seen.len() > 1);
    Ok(groups)
}
