//! Dynamics 365 as the rest of the house sees it: [`dataverse`] speaks the Web API, [`directory`] keeps the Accounts by
//! domain in memory, [`lookups`] caches single Accounts and searches (H5, decision 6). Everything here implements a port
//! of `domain`; what the directory holds is written to the store by a flow, never from here.

pub mod dataverse;
pub mod directory;
pub mod lookups;
