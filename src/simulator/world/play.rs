//! Plays the scenarios: what each puts into the CRM and into Partner Center.

use rand::Rng;
use rand::seq::{IndexedRandom, SliceRandom};

use super::customers::Texts;
use super::organisation::Organisation;
use super::people::Person;
use super::scenario::Scenario;
use super::sow::{Sower, SownAccount};

/// Domains of bookkeepers and agencies that appear as contacts in many accounts; none of them is a customer.
const ADVISERS: &[&str] = &[
    "brightledger-accounting.com",
    "kanzlei-seeblick.de",
    "cabinet-aurore.fr",
    "northgate-bookkeeping.co.uk",
];
/// Domains of those who look after tenants for customers; they are never in the CRM.
const CARETAKERS: &[&str] = &["cloudcaretakers.net", "tenantdesk.io", "it-hausmeister.de"];

impl Sower {
    /// Plays one scenario: one customer and all that belongs to it.
    pub fn play(&mut self, scenario: Scenario) -> Option<()> {
        let it = self.found()?;
        match scenario {
            Scenario::Plain | Scenario::HiddenDomain => {
                self.plain(&it, scenario == Scenario::HiddenDomain)
            }
            Scenario::ContactsOnly => self.contacts_only(&it),
            Scenario::AccountEmailOnly => self.account_email_only(&it),
            Scenario::SeveralDomains => self.several_domains(&it),
            Scenario::Merged => self.twice(&it, true),
            Scenario::Duplicate => self.twice(&it, false),
            Scenario::Group => self.group(&it)?,
            Scenario::ContactElsewhere => self.contact_elsewhere(&it)?,
            Scenario::PublicMailOnly => self.public_mail_only(&it),
            Scenario::NoEvidence => self.no_evidence(&it),
            Scenario::Unknown => {
                let texts = self.texts(&it, None);
                self.customer(&it, &texts, None);
            }
            Scenario::UnknownWithoutDomain => {
                let texts = self.anonymous_texts(&it);
                self.customer(&it, &texts, None);
            }
            Scenario::Closed => self.closed(&it),
            Scenario::Franchise => self.franchise(&it)?,
            Scenario::SubOrganisation => self.sub_organisation(&it),
            Scenario::ForeignContact => self.foreign_contact(&it)?,
            Scenario::HiddenBehindParent => self.hidden_behind_parent(&it)?,
        }
        Some(())
    }

    /// An organisation in the CRM that is no customer: a prospect or a supplier.
    pub fn prospect(&mut self) -> Option<()> {
        let it = self.found()?;
        let website = self.chance(60).then(|| it.website(&mut self.rng));
        let inactive = self.chance(12);
        let account = self.account(
            &it,
            SownAccount {
                website,
                inactive,
                ..SownAccount::default()
            },
        );
        let count = self.rng.random_range(0..3);
        self.staff(account, &it, &it.domain.clone(), count);
        if self.chance(20) {
            self.public_contact(account, &it);
        }
        Some(())
    }

    fn plain(&mut self, it: &Organisation, hidden: bool) {
        let email = self
            .chance(50)
            .then(|| self.office(it))
            .into_iter()
            .collect();
        let website = Some(it.website(&mut self.rng));
        let account = self.account(
            it,
            SownAccount {
                website,
                emails: email,
                ..SownAccount::default()
            },
        );
        let count = self.rng.random_range(0..4);
        self.staff(account, it, &it.domain, count);
        match self.rng.random_range(0..10) {
            0 => self.public_contact(account, it),
            1 => {
                let adviser = ADVISERS.choose(&mut self.rng).copied().unwrap_or_default();
                self.staff(account, it, adviser, 1);
            }
            _ => {}
        }
        let mut texts = self.texts(it, None);
        if hidden {
            texts.default_domain = format!("{}.onmicrosoft.com", it.tenant_label);
            texts.custom_domains = vec![it.domain.clone()];
        }
        self.customer(it, &texts, Some(account));
    }

    fn contacts_only(&mut self, it: &Organisation) {
        let account = self.account(it, SownAccount::default());
        let count = self.rng.random_range(1..4);
        self.staff(account, it, &it.domain, count);
        let texts = self.texts(it, None);
        self.customer(it, &texts, Some(account));
    }

    fn account_email_only(&mut self, it: &Organisation) {
        let emails = vec![self.office(it)];
        let account = self.account(
            it,
            SownAccount {
                emails,
                ..SownAccount::default()
            },
        );
        self.public_contact(account, it);
        let texts = self.texts(it, None);
        self.customer(it, &texts, Some(account));
    }

    fn several_domains(&mut self, it: &Organisation) {
        let website = Some(it.website(&mut self.rng));
        let account = self.account(
            it,
            SownAccount {
                website,
                ..SownAccount::default()
            },
        );
        self.staff(account, it, &format!("mail.{}", it.domain), 1);
        let mut texts = self.texts(it, None);
        let brand = self.founder.second_domain(it, &mut self.rng);
        texts.custom_domains = vec![brand.clone(), format!("portal.{}", it.domain)];
        texts.default_domain = if self.chance(50) {
            brand
        } else {
            it.domain.clone()
        };
        self.customer(it, &texts, Some(account));
    }

    /// The account exists twice: once merged away, or both still active.
    fn twice(&mut self, it: &Organisation, merged: bool) {
        let website = it.website(&mut self.rng);
        let first = SownAccount {
            website: Some(website.clone()),
            ..SownAccount::default()
        };
        let survivor = self.account(it, first);
        self.staff(survivor, it, &it.domain, 1);
        let master = merged.then_some(survivor);
        let name = it.full_name();
        let other = SownAccount {
            name,
            website: Some(website),
            master,
            ..SownAccount::default()
        };
        let other = self.account(it, other);
        if !merged {
            self.staff(other, it, &it.domain, 1);
        }
        let texts = self.texts(it, None);
        self.customer(it, &texts, Some(survivor));
    }

    fn group(&mut self, it: &Organisation) -> Option<()> {
        let parent_of = self.found()?;
        let website = Some(it.website(&mut self.rng));
        let parent = SownAccount {
            name: format!("{} Group", it.body),
            website: website.clone(),
            ..SownAccount::default()
        };
        let parent = self.account(&parent_of, parent);
        let account = self.account(
            it,
            SownAccount {
                website,
                parent: Some(parent),
                ..SownAccount::default()
            },
        );
        self.staff(account, it, &it.domain, 2);
        let texts = self.texts(it, None);
        self.customer(it, &texts, Some(account));
        Some(())
    }

    fn contact_elsewhere(&mut self, it: &Organisation) -> Option<()> {
        let website = Some(it.website(&mut self.rng));
        let account = self.account(
            it,
            SownAccount {
                website,
                ..SownAccount::default()
            },
        );
        self.staff(account, it, &it.domain, 1);
        let other = self.found()?;
        let website = Some(other.website(&mut self.rng));
        let host = self.account(
            &other,
            SownAccount {
                website,
                ..SownAccount::default()
            },
        );
        self.staff(host, &other, &it.domain, 1);
        let texts = self.texts(it, None);
        self.customer(it, &texts, Some(account));
        Some(())
    }

    fn public_mail_only(&mut self, it: &Organisation) {
        let page = format!("https://www.facebook.com/{}", it.tenant_label);
        let website = self.chance(30).then_some(page);
        let account = self.account(
            it,
            SownAccount {
                website,
                ..SownAccount::default()
            },
        );
        self.public_contact(account, it);
        let texts = self.anonymous_texts(it);
        self.customer(it, &texts, Some(account));
    }

    fn no_evidence(&mut self, it: &Organisation) {
        let account = self.account(it, SownAccount::default());
        self.public_contact(account, it);
        let texts = self.texts(it, None);
        self.customer(it, &texts, Some(account));
    }

    fn closed(&mut self, it: &Organisation) {
        let website = Some(it.website(&mut self.rng));
        let account = self.account(
            it,
            SownAccount {
                website,
                inactive: true,
                ..SownAccount::default()
            },
        );
        let person = Person::new(it.country, &mut self.rng);
        let email = person.email(&it.domain, &mut self.rng);
        self.contact(account, &person, email, false);
        let texts = self.texts(it, None);
        self.customer(it, &texts, Some(account));
    }

    fn franchise(&mut self, it: &Organisation) -> Option<()> {
        for _ in 0..2 {
            let mut other = self.found()?;
            other.body = format!("{} {}", it.body, other.city());
            let website = Some(it.website(&mut self.rng));
            self.account(
                &other,
                SownAccount {
                    website,
                    ..SownAccount::default()
                },
            );
        }
        let texts = self.texts(it, None);
        self.customer(it, &texts, None);
        Some(())
    }

    fn sub_organisation(&mut self, it: &Organisation) {
        let website = Some(it.website(&mut self.rng));
        let parent = self.account(
            it,
            SownAccount {
                website,
                ..SownAccount::default()
            },
        );
        self.staff(parent, it, &it.domain, 1);
        let department = ["it", "labs", "campus", "works"]
            .choose(&mut self.rng)
            .copied()
            .unwrap_or("it");
        let mut texts = self.texts(it, Some(format!("{department}.{}", it.domain)));
        texts.name = format!("{} {}", it.body, department.to_uppercase());
        self.customer(it, &texts, None);
    }

    fn foreign_contact(&mut self, it: &Organisation) -> Option<()> {
        let other = self.found()?;
        let website = Some(other.website(&mut self.rng));
        let host = self.account(
            &other,
            SownAccount {
                website,
                ..SownAccount::default()
            },
        );
        self.staff(host, it, &it.domain, 1);
        let texts = self.texts(it, None);
        self.customer(it, &texts, None);
        Some(())
    }

    fn hidden_behind_parent(&mut self, it: &Organisation) -> Option<()> {
        let parent_of = self.found()?;
        let website = Some(it.website(&mut self.rng));
        let parent = self.account(
            &parent_of,
            SownAccount {
                website,
                ..SownAccount::default()
            },
        );
        let account = self.account(
            it,
            SownAccount {
                parent: Some(parent),
                ..SownAccount::default()
            },
        );
        self.public_contact(account, it);
        let texts = self.texts(it, None);
        self.customer(it, &texts, Some(account));
        Some(())
    }

    /// The usual texts of a customer: own domain as default, or `onmicrosoft.com` with the own domain shown by id only.
    fn texts(&mut self, it: &Organisation, domain: Option<String>) -> Texts {
        let domain = domain.unwrap_or_else(|| it.domain.clone());
        let tenant = format!("{}.onmicrosoft.com", it.tenant_label);
        let person = Person::new(it.country, &mut self.rng);
        let email = match self.rng.random_range(0..20) {
            0..13 => person.email(&domain, &mut self.rng),
            13..16 => format!("admin@{tenant}"),
            16..19 => person.public_email(it.country, &mut self.rng),
            _ => {
                let caretaker = CARETAKERS
                    .choose(&mut self.rng)
                    .copied()
                    .unwrap_or_default();
                person.email(caretaker, &mut self.rng)
            }
        };
        let default_domain = if self.chance(70) {
            domain.clone()
        } else {
            tenant
        };
        Texts {
            name: it.full_name(),
            default_domain,
            email,
            custom_domains: vec![domain],
        }
    }

    /// The texts of a customer that has no domain of its own.
    fn anonymous_texts(&mut self, it: &Organisation) -> Texts {
        let person = Person::new(it.country, &mut self.rng);
        let default_domain = format!("{}.onmicrosoft.com", it.tenant_label);
        let email = if self.chance(40) {
            format!("admin@{default_domain}")
        } else {
            person.public_email(it.country, &mut self.rng)
        };
        Texts {
            name: it.full_name(),
            default_domain,
            email,
            custom_domains: Vec::new(),
        }
    }

    fn office(&mut self, it: &Organisation) -> String {
        let local = ["info", "office", "contact", "hello"]
            .choose(&mut self.rng)
            .copied()
            .unwrap_or("info");
        format!("{local}@{}", it.domain)
    }

    /// Shuffles and numbers what was sown.
    pub fn shuffle(&mut self) {
        let mut accounts: Vec<(u32, super::rows::Row)> = self
            .organisations
            .drain(..)
            .zip(self.accounts.sown().drain(..))
            .collect();
        accounts.shuffle(&mut self.rng);
        let (organisations, rows): (Vec<u32>, Vec<_>) = accounts.into_iter().unzip();
        self.organisations = organisations;
        *self.accounts.sown() = rows;
        self.customers.shuffle(&mut self.rng);
        let mut version = 1_000_000;
        for row in self.accounts.sown().iter_mut().chain(self.contacts.sown()) {
            version += 1;
            row.version = version;
        }
        self.accounts.finish();
        self.contacts.finish();
    }
}
