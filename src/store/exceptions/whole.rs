//! Settling all open exceptions of a kind at once, for a look that sees everything there is of it.

use std::collections::HashMap;

use super::{open_subjects, settle};
use crate::domain::context::Context;
use crate::domain::exception::{ExceptionKind, NewException};
use crate::store::{StoreError, WriteTx};

/// Makes the open exceptions of a kind those that are wanted, by subject with their details: opens what is new, says anew what
/// reads differently, closes the rest.
///
/// # Errors
/// When the database refuses.
pub async fn settle_kind(
    tx: &WriteTx,
    context: &Context,
    kind: ExceptionKind,
    wanted: HashMap<String, String>,
) -> Result<(), StoreError> {
    let mut subjects = open_subjects(&**tx, kind).await?;
    subjects.extend(wanted.keys().cloned());
    subjects.sort_unstable();
    subjects.dedup();
    let wanted = wanted.into_iter().map(|(subject, detail)| NewException {
        kind,
        subject,
        detail,
        import_of: None,
    });
    settle(tx, context, &[kind], &subjects, wanted.collect()).await?;
    Ok(())
}
