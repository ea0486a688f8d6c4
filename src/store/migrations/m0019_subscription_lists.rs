//! What the lists of subscriptions and the counts of exceptions are read by: the columns of the filter, then those of the order.
//! Landed migrations are never edited: a change is a new one.

use sea_orm_migration::prelude::*;

use super::index;

pub struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m0019_subscription_lists"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let subscription = "subscription";
        for (name, column) in [
            ("subscription_held_list", "held_for"),
            ("subscription_account_list", "account_id"),
            ("subscription_contract_list", "contract_id"),
        ] {
            let columns = [column, "name_folded", "id"];
            index(manager, name, subscription, &columns).await?;
        }
        let line = "subscription_report_line";
        index(manager, "subscription_report_at", line, &["at"]).await?;
        // No partial ones: SQLite would look every row up to see that it is open. The first serves the list, so that the second is
        // not taken for it and its rows sorted.
        let aged = ["closed_at", "opened_at", "id"];
        index(manager, "exception_aged", "exception", &aged).await?;
        let counted = ["closed_at", "kind", "opened_at"];
        index(manager, "exception_counted", "exception", &counted).await
    }
}
