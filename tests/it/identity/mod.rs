//! Consent of a provider's tenant, against the simulated Entra and Partner Center.

mod browser;
mod consent;
mod health;
mod refusals;
mod rotation;
mod user_tokens;
