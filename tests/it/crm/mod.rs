//! Tests of the `crm` room: the directory, the lookups, and the Web API over real HTTP.

mod changes;
mod dataverse;
mod directory;
mod lookups;
mod organisation;
