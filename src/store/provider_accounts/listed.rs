//! What the last listing said of the customers that are present, as one digest each: a customer whose digest is known is
//! unchanged, and nothing more of it is read.

use std::collections::HashSet;

use sea_orm::sea_query::Expr;
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QuerySelect,
};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::domain::ids::{ProviderAccountId, ProviderId};
use crate::domain::provider_account::ListedCustomer;
use crate::store::entities::provider_account::{Column, Entity};
use crate::store::{StoreError, WriteTx};

/// Sixteen bytes that stand for everything a listing says of a customer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ListedDigest(Uuid);

impl ListedDigest {
    /// Of one customer. Part of the stored format: every row has to be read once more when it changes.
    #[must_use]
    pub fn of(customer: &ListedCustomer) -> Self {
        let texts = [
            Some(customer.external_id.as_str()),
            Some(customer.name.as_str()),
            customer.tenant_id.as_deref(),
            Some(customer.relationship.as_str()),
            customer
                .default_domain
                .as_ref()
                .map(|domain| domain.as_str()),
        ];
        let mut hash = Sha256::new();
        for text in texts {
            // A length before each text, so that no two customers run together to the same bytes.
            let length = text.map_or(u64::MAX, |text| text.len() as u64);
            hash.update(length.to_le_bytes());
            hash.update(text.unwrap_or_default());
        }
        let whole: [u8; 32] = hash.finalize().into();
        let (half, _) = whole.split_at(16);
        Self(Uuid::from_slice(half).unwrap_or_default())
    }

    pub(super) const fn as_uuid(self) -> Uuid {
        self.0
    }
}

/// The digests of a provider's customers that are not missing.
///
/// # Errors
/// When the database refuses.
pub async fn digests(
    connection: &impl ConnectionTrait,
    provider: ProviderId,
) -> Result<HashSet<ListedDigest>, StoreError> {
    let digests: Vec<Uuid> = Entity::find()
        .select_only()
        .column(Column::ListedDigest)
        .filter(Column::ProviderId.eq(provider.as_uuid()))
        .filter(Column::MissingSince.is_null())
        .filter(Column::ListedDigest.is_not_null())
        .into_tuple()
        .all(connection)
        .await?;
    Ok(digests.into_iter().map(ListedDigest).collect())
}

/// How many of a provider's customers are not missing.
///
/// # Errors
/// When the database refuses.
pub async fn present_count(
    connection: &impl ConnectionTrait,
    provider: ProviderId,
) -> Result<u64, StoreError> {
    let present = Entity::find()
        .filter(Column::ProviderId.eq(provider.as_uuid()))
        .filter(Column::MissingSince.is_null());
    Ok(present.count(connection).await?)
}

/// Notes the digest of customers that are unchanged and have none yet: they were kept before there were any.
///
/// # Errors
/// When the database refuses.
pub async fn note(
    tx: &WriteTx,
    digests: &[(ProviderAccountId, ListedDigest)],
) -> Result<(), StoreError> {
    for (id, digest) in digests {
        Entity::update_many()
            .col_expr(Column::ListedDigest, Expr::value(digest.0))
            .filter(Column::Id.eq(id.as_uuid()))
            .exec(&**tx)
            .await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::ListedDigest;
    use crate::domain::provider_account::{ExternalId, ListedCustomer};

    fn digest(id: &str, name: &str, tenant: Option<&str>) -> ListedDigest {
        ListedDigest::of(&ListedCustomer {
            external_id: ExternalId::parse(id).unwrap(),
            name: name.to_owned(),
            tenant_id: tenant.map(str::to_owned),
            relationship: "reseller".to_owned(),
            default_domain: None,
        })
    }

    #[test]
    fn whatever_differs_shows() {
        let digests = [
            digest("a", "bc", None),
            digest("ab", "c", None),
            digest("a", "b", Some("c")),
            digest("a", "b", Some("")),
            digest("a", "b", None),
        ];
        for (index, one) in digests.iter().enumerate() {
            for other in digests.iter().skip(index + 1) {
                assert_ne!(one, other);
            }
        }
        assert_eq!(digest("a", "b", None), digest("a", "b", None));
    }
}
