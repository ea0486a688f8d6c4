//! The people who can sign in, each for one case: a partner's administrator as it should be, one without a second factor,
//! one without rights in Partner Center, and somebody of another tenant.

use crate::simulator::credentials::{ENTRA_TENANT_ID, PARTNER_TENANT_ID};

/// Somebody with an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Person {
    /// User principal name; also the choice on the sign-in page.
    pub upn: &'static str,
    /// For people to read.
    pub name: &'static str,
    /// Object id.
    pub object_id: &'static str,
    /// The tenant the account belongs to.
    pub tenant: &'static str,
    /// Whether a second factor was given.
    pub multi_factor: bool,
    /// Whether Partner Center lets them read customers (Admin Agent).
    pub admin_agent: bool,
    /// Whether they may consent for the whole tenant.
    pub administrator: bool,
}

/// Everybody.
pub static PEOPLE: [Person; 4] = [
    Person {
        upn: "admin@partner.example",
        name: "Ada Partner (administrator, Admin Agent)",
        object_id: "0a000000-51b0-4000-8000-000000000001",
        tenant: PARTNER_TENANT_ID,
        multi_factor: true,
        admin_agent: true,
        administrator: true,
    },
    Person {
        upn: "no-mfa@partner.example",
        name: "Nora Partner (Admin Agent, no second factor)",
        object_id: "0a000000-51b0-4000-8000-000000000002",
        tenant: PARTNER_TENANT_ID,
        multi_factor: false,
        admin_agent: true,
        administrator: true,
    },
    Person {
        upn: "no-role@partner.example",
        name: "Rolf Partner (no role in Partner Center)",
        object_id: "0a000000-51b0-4000-8000-000000000003",
        tenant: PARTNER_TENANT_ID,
        multi_factor: true,
        admin_agent: false,
        administrator: false,
    },
    Person {
        upn: "admin@customer.example",
        name: "Carl Customer (administrator of another tenant)",
        object_id: "0a000000-51b0-4000-8000-000000000004",
        tenant: ENTRA_TENANT_ID,
        multi_factor: true,
        admin_agent: false,
        administrator: true,
    },
];

/// Somebody by user principal name.
pub(super) fn by_upn(upn: &str) -> Option<&'static Person> {
    PEOPLE.iter().find(|person| person.upn == upn)
}

/// Somebody by object id.
pub(in crate::simulator) fn by_object_id(id: &str) -> Option<&'static Person> {
    PEOPLE.iter().find(|person| person.object_id == id)
}
