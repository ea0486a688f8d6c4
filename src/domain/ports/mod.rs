//! The traits that outer rooms implement and flows call, so that flows know neither HTTP nor a vendor.

pub mod callback;
pub mod consent;
pub mod crm;
pub mod owner;
pub mod provider;
pub mod sealer;
