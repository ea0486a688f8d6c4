//! Writing many rows, and asking for many.
//!
//! What surprises: a statement holds a power of two of rows, or one of few other numbers. The same few statements come back however many rows there are,
//! so that the engine reads and plans each of them once, and a connection keeps few of them.

use sea_orm::sea_query::OnConflict;
use sea_orm::{ActiveModelTrait, DbBackend, EntityTrait, IntoActiveModel, QueryTrait, Statement};

use super::{StoreError, WriteTx};

/// Ids in a statement at most; SQLite takes 32,766 variables, and some statements ask for an id twice.
pub(super) const IDS_AT_ONCE: usize = 1000;
/// Rows of a statement at most, and half of those of a statement that holds all there are. The widest have twenty-four
/// columns.
const MOST: usize = 128;

/// Inserts rows.
///
/// # Errors
/// When the database refuses.
pub(super) async fn insert<R, A>(
    tx: &WriteTx,
    rows: impl IntoIterator<Item = R>,
) -> Result<(), StoreError>
where
    R: IntoActiveModel<A>,
    A: ActiveModelTrait,
{
    write(tx, rows, None).await.map(drop)
}

/// Inserts rows, or does what `conflict` says where one is there already. Gives how many were written.
///
/// # Errors
/// When the database refuses.
pub(super) async fn insert_or<R, A>(
    tx: &WriteTx,
    rows: impl IntoIterator<Item = R>,
    conflict: OnConflict,
) -> Result<u64, StoreError>
where
    R: IntoActiveModel<A>,
    A: ActiveModelTrait,
{
    write(tx, rows, Some(conflict)).await
}

async fn write<R, A>(
    tx: &WriteTx,
    rows: impl IntoIterator<Item = R>,
    conflict: Option<OnConflict>,
) -> Result<u64, StoreError>
where
    R: IntoActiveModel<A>,
    A: ActiveModelTrait,
{
    let mut written = 0;
    for part in parts(rows) {
        let mut insert = A::Entity::insert_many(part);
        if let Some(conflict) = &conflict {
            insert = insert.on_conflict(conflict.clone());
        }
        written += insert.exec_without_returning(&**tx).await?;
    }
    Ok(written)
}

/// One statement that inserts all of them, for whoever has the time to put it together before it is needed; `None` when
/// there are none. Their number is to be one that [`in_one_statement`] gives.
pub(super) fn insert_at_once<R, A>(
    backend: DbBackend,
    rows: impl IntoIterator<Item = R>,
) -> Option<Statement>
where
    R: IntoActiveModel<A>,
    A: ActiveModelTrait,
{
    let mut rows = rows.into_iter().map(R::into_active_model).peekable();
    rows.peek()?;
    Some(A::Entity::insert_many(rows).build(backend))
}

/// The rows of each statement, in their order.
fn parts<R, A>(rows: impl IntoIterator<Item = R>) -> impl Iterator<Item = impl Iterator<Item = A>>
where
    R: IntoActiveModel<A>,
    A: ActiveModelTrait,
{
    let mut rows: Vec<A> = rows.into_iter().map(R::into_active_model).collect();
    // Taken from the end, which costs nothing; turned around so that they are written in their order.
    rows.reverse();
    std::iter::from_fn(move || {
        let part = part_of(rows.len());
        (part > 0).then(|| rows.split_off(rows.len() - part).into_iter().rev())
    })
}

/// The largest power of two that is not more than `left`, nor than [`MOST`].
fn part_of(left: usize) -> usize {
    let most = left.min(MOST);
    most.checked_ilog2().map_or(0, |exponent| 1 << exponent)
}

/// How many of so many rows to write in one statement, where the rest can wait for the next time: most of them, and of
/// such a number that few different statements come of it.
pub(super) fn in_one_statement(rows: usize) -> usize {
    let most = rows.min(2 * MOST);
    let step = part_of(most).div_ceil(4).max(1);
    most - most % step
}

#[cfg(test)]
mod tests {
    use super::{MOST, in_one_statement, part_of};

    #[test]
    fn every_part_is_a_power_of_two_and_together_they_are_everything() {
        for all in [1, 2, 3, 127, 128, 129, 1000, 4095] {
            let (mut left, mut parts) = (all, Vec::new());
            while left > 0 {
                parts.push(part_of(left));
                left -= part_of(left);
            }
            assert!(
                parts
                    .iter()
                    .all(|part| part.is_power_of_two() && *part <= MOST),
                "{parts:?}"
            );
            assert_eq!(parts.iter().sum::<usize>(), all);
        }
    }

    #[test]
    fn one_statement_takes_most_rows_and_is_one_of_few() {
        let taken: Vec<_> = [0, 1, 7, 9, 127, 128, 255, 256, 1000]
            .map(in_one_statement)
            .into();
        assert_eq!(taken, [0, 1, 7, 8, 112, 128, 224, 256, 256]);
        let different: std::collections::BTreeSet<_> = (1..=1000).map(in_one_statement).collect();
        assert_eq!(different.len(), 28);
    }
}
