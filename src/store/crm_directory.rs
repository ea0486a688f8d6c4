//! The mirror of the CRM's Accounts and Contacts (decision 6): written page by page together with the cursor of the
//! change feed, read whole at the start of the program and row by row when another instance changed something.
//!
//! What surprises: a full reading gives every row it shows a new generation and at its end removes the rows of older ones;
//! so a reading that was cut short goes on where it was, and what it had not come to yet is still there.

mod feed;
mod load;
mod rows;

pub use feed::{Feed, feed, move_feed, state};
pub use load::{Batch, of_accounts};
pub use rows::{accounts_of_contacts, keep, remove_older};
