//! The `crm` room.
