//! Stands in the CRM's place while none is connected: every call says so, and what to set.

use async_trait::async_trait;

use crate::domain::account::Account;
use crate::domain::ids::AccountId;
use crate::domain::ports::crm::{
    ChangeCursor, ChangeFeedError, ChangePage, Crm, CrmError, DirectoryTable,
};
use crate::domain::ports::provider::FailureKind;
use crate::domain::verify::{VerifyReport, VerifyStep};

/// No CRM.
pub struct NoCrm;

fn missing() -> CrmError {
    CrmError {
        kind: FailureKind::Configuration,
        message: "no CRM is connected; set dataverse.org_url, tenant, client_id and client_secret"
            .to_owned(),
        code: None,
        retry_after: None,
    }
}

#[async_trait]
impl Crm for NoCrm {
    async fn read_account(
        &self,
        _id: AccountId,
        _known: Option<&Account>,
    ) -> Result<Option<Account>, CrmError> {
        Err(missing())
    }

    async fn search_accounts(&self, _text: &str, _top: usize) -> Result<Vec<Account>, CrmError> {
        Err(missing())
    }

    async fn changes(
        &self,
        _table: DirectoryTable,
        _cursor: Option<&ChangeCursor>,
    ) -> Result<ChangePage, ChangeFeedError> {
        Err(missing().into())
    }

    async fn verify(&self) -> VerifyReport {
        VerifyReport::of(vec![VerifyStep {
            name: "settings present".to_owned(),
            passed: false,
            detail: missing().message,
        }])
    }
}
