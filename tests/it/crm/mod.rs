//! Tests of the `crm` room: the directory, the lookups, and the Web API over real HTTP.

mod changes;
mod dataverse;
mod directory;
mod feed;
mod instance;
mod lookups;
mod organisation;
mod syncing;
