//! What all decisions of a pass rest on: the whole of the CRM as this instance has it in memory, and the proof, inside the
//! transaction that writes, that nothing has come to the mirror since.

use crate::domain::ports::crm::MirrorState;
use crate::flows::{FlowError, Flows};
use crate::store::directory_mark::{self, DirectoryMark};
use crate::store::{WriteTx, crm_directory};

#[derive(Debug)]
pub(super) struct Basis {
    mark: DirectoryMark,
    /// What the directory holds; `None` for one that is no copy of the store.
    state: Option<MirrorState>,
}

impl Basis {
    /// The basis at this moment; `None` while the CRM was not read completely, or this instance does not know what its
    /// directory holds.
    pub(super) async fn of(flows: &Flows) -> Result<Option<Self>, FlowError> {
        let state = flows.directory.mirror().map(|mirror| mirror.state());
        let mark = directory_mark::complete(flows.store.reader()).await?;
        Ok(match (mark, state) {
            (Some(mark), Some(Some(state))) => Some(Self {
                mark,
                state: Some(state),
            }),
            (Some(mark), None) => Some(Self { mark, state: None }),
            (Some(_), Some(None)) | (None, _) => None,
        })
    }

    /// Whether it still stands, in the eyes of this transaction.
    pub(super) async fn stands(&self, tx: &WriteTx) -> Result<bool, FlowError> {
        if directory_mark::complete(&**tx).await?.as_ref() != Some(&self.mark) {
            return Ok(false);
        }
        Ok(match self.state {
            Some(state) => crm_directory::state(&**tx).await? == state,
            None => true,
        })
    }
}
