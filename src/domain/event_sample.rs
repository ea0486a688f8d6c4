//! A sample of each event, for "send a test event". It is made by the very functions that make the real ones, so that a
//! flow built against the sample meets the same shape later.

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use super::caller::{Actor, ActorKind, Caller, Channel, Roles};
use super::event::{EventType, LostBecause, NewEvent};
use super::ids::{AccountId, ProviderAccountId, ProviderId};
use super::mapping::{MappedBy, Mapping};
use super::provider::{Provider, ProviderKind};
use super::provider_account::ProviderAccount;
use super::provider_health::{Credential, WARN_DAYS};

/// A sample of `event_type`, as if it happened at `at`. Its data says `"test": true`; real ones have no such field.
#[must_use]
pub fn sample(event_type: EventType, at: DateTime<Utc>) -> NewEvent {
    let provider = provider(at);
    let mut account = account(at);
    let unmapped = account.mapping.clone();
    let mapped = Mapping::Mapped {
        account_id: AccountId::new(number(3)),
        account_name: "Contoso Ltd".to_owned(),
        by: MappedBy::Person,
        at,
    };
    let changed = |account: &ProviderAccount, previous: &Mapping| {
        NewEvent::mapping_changed(
            &provider,
            account,
            previous,
            &caller(),
            Some("a test"),
            None,
        )
    };
    let mut event = match event_type {
        EventType::ProviderAccountCreated => NewEvent::created(&provider, &account, false),
        EventType::ProviderAccountMapped => {
            account.mapping = mapped;
            changed(&account, &unmapped)
        }
        EventType::ProviderAccountUnmapped => changed(&account, &mapped),
        EventType::ProviderAccountExcluded => {
            account.mapping = Mapping::Excluded {
                at,
                reason: "a test".to_owned(),
            };
            changed(&account, &unmapped)
        }
        EventType::ProviderAccountsImported => NewEvent::imported(&provider, 1),
        EventType::ConsentLapsing => {
            let ends_at = at + TimeDelta::days(WARN_DAYS);
            NewEvent::consent_lapsing(&provider, Credential::UserConsent, ends_at, at)
        }
        EventType::ConsentLost => {
            let (credential, why) = (Credential::UserConsent, LostBecause::Refused);
            NewEvent::consent_lost(&provider, credential, why, "a test")
        }
        of_subscriptions => super::subscription_sample::sample(of_subscriptions, at),
    };
    if let Some(data) = event.data.as_object_mut() {
        data.insert("test".to_owned(), true.into());
    }
    event
}

const fn number(last: u128) -> Uuid {
    Uuid::from_u128(0x0197_a1b2_0000_7000_8000_0000_0000_0000 + last)
}

fn provider(at: DateTime<Utc>) -> Provider {
    Provider {
        id: ProviderId::new(number(1)),
        kind: ProviderKind::PartnerCenter,
        name: "Test provider".to_owned(),
        enabled: true,
        partner_tenant: number(10).to_string(),
        client_id: number(11).to_string(),
        created_at: at,
        updated_at: at,
        version: 1,
    }
}

fn account(at: DateTime<Utc>) -> ProviderAccount {
    ProviderAccount {
        id: ProviderAccountId::new(number(2)),
        provider_id: ProviderId::new(number(1)),
        external_id: number(13).into(),
        name: "Contoso (test)".to_owned(),
        tenant_id: Some(number(12).to_string()),
        relationship: "reseller".to_owned(),
        domains: Vec::new(),
        country: None,
        city: None,
        postal_code: None,
        sync_enabled: true,
        first_seen_at: at,
        missing_since: None,
        details_fetched_at: Some(at),
        mapping: Mapping::Unmapped { since: at },
        mapping_version: 1,
    }
}

fn caller() -> Caller {
    Caller {
        actor: Actor {
            kind: ActorKind::Service,
            id: "test".to_owned(),
            name: "Provider Bridge".to_owned(),
        },
        roles: Roles::new(),
        channel: Channel::Page,
        correlation_id: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_event_type_has_a_sample_of_its_own_type_marked_as_a_test() {
        for event_type in EventType::ALL {
            let event = sample(event_type, DateTime::UNIX_EPOCH);
            assert_eq!(event.event_type, event_type);
            assert_eq!(event.data["test"], true);
            assert!(
                event.data.as_object().is_some_and(|data| data.len() > 3),
                "{event_type:?}"
            );
        }
    }
}
