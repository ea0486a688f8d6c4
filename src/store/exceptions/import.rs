//! The exceptions of a provider's first import, of which flows are told together: one event of each kind instead of one of each
//! exception (B14).

use chrono::{DateTime, Utc};
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use uuid::Uuid;

use crate::domain::context::Context;
use crate::domain::event::NewEvent;
use crate::domain::exception::ExceptionKind;
use crate::domain::ids::ProviderId;
use crate::domain::provider::Provider;
use crate::store::entities::exception::{Column, Entity};
use crate::store::{StoreError, WriteTx, outbox};

/// Tells of what came up so far in the first import of this provider and is still open: one event of each kind.
///
/// # Errors
/// When the database refuses.
pub async fn tell(tx: &WriteTx, context: &Context, provider: &Provider) -> Result<(), StoreError> {
    let of_provider = || Column::UntoldOf.eq(provider.id.as_uuid());
    let rows: Vec<(String, i64)> = Entity::find()
        .select_only()
        .column(Column::Kind)
        .column_as(Column::Kind.count(), "open")
        .filter(of_provider())
        .filter(Column::ClosedAt.is_null())
        .group_by(Column::Kind)
        .order_by_asc(Column::Kind)
        .into_tuple()
        .all(&**tx)
        .await?;
    Entity::update_many()
        .col_expr(Column::UntoldOf, Expr::value(None::<Uuid>))
        .filter(of_provider())
        .exec(&**tx)
        .await?;
    let events = rows.iter().filter_map(|(kind, open)| {
        let kind = ExceptionKind::from_name(kind)?;
        Some(NewEvent::exceptions_imported(
            provider,
            kind,
            *open,
            context.now(),
        ))
    });
    outbox::publish(tx, context, events.collect()).await
}

/// The providers of whose first import something was raised before this instant that nobody was told of yet.
///
/// # Errors
/// When the database refuses.
pub async fn untold(
    connection: &impl ConnectionTrait,
    before: DateTime<Utc>,
) -> Result<Vec<ProviderId>, StoreError> {
    let rows: Vec<Option<Uuid>> = Entity::find()
        .select_only()
        .distinct()
        .column(Column::UntoldOf)
        .filter(Column::UntoldOf.is_not_null())
        .filter(Column::OpenedAt.lt(before))
        .into_tuple()
        .all(connection)
        .await?;
    Ok(rows.into_iter().flatten().map(ProviderId::new).collect())
}
