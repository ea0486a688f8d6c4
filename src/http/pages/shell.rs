//! What surrounds every page: environment, visitor, the views with their counts.

use actix_web::web::Data;

use super::door::Visitor;
use crate::domain::mapping::MappingState;
use crate::flows::FlowError;
use crate::flows::provider_accounts::{Counts, Filter};
use crate::http::state::ApiState;

/// The views of B3.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum View {
    Unmapped,
    Mapped,
    Excluded,
    Missing,
    All,
}

impl View {
    const ALL: [Self; 5] = [
        Self::Unmapped,
        Self::Mapped,
        Self::Excluded,
        Self::Missing,
        Self::All,
    ];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Unmapped => "unmapped",
            Self::Mapped => "mapped",
            Self::Excluded => "excluded",
            Self::Missing => "missing",
            Self::All => "all",
        }
    }

    pub const fn label(self) -> &'static str {
        match self {
            Self::Unmapped => "Unmapped",
            Self::Mapped => "Mapped",
            Self::Excluded => "Excluded",
            Self::Missing => "Missing",
            Self::All => "All",
        }
    }

    /// Unknown names show the view people live in.
    pub fn from_name(name: &str) -> Self {
        Self::ALL
            .into_iter()
            .find(|view| view.name() == name)
            .unwrap_or(Self::Unmapped)
    }

    pub fn filter(self) -> Filter {
        let state = match self {
            Self::Unmapped => Some(MappingState::Unmapped),
            Self::Mapped => Some(MappingState::Mapped),
            Self::Excluded => Some(MappingState::Excluded),
            Self::Missing | Self::All => None,
        };
        Filter {
            state,
            missing: self == Self::Missing,
            ..Filter::default()
        }
    }

    pub const fn count(self, counts: &Counts) -> u64 {
        match self {
            Self::Unmapped => counts.unmapped,
            Self::Mapped => counts.mapped,
            Self::Excluded => counts.excluded,
            Self::Missing => counts.missing,
            Self::All => counts.unmapped + counts.mapped + counts.excluded,
        }
    }
}

/// One entry of the rail.
pub(super) struct ViewLink {
    pub name: &'static str,
    pub label: &'static str,
    pub count: u64,
    pub current: bool,
}

/// The entries of the rail that are no views of Provider Accounts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Section {
    Plans,
    Exceptions,
    Contracts,
}

impl Section {
    const ALL: [(Self, &'static str, &'static str); 3] = [
        (Self::Plans, "/match-plans", "Match plans"),
        (Self::Exceptions, "/exceptions", "Exceptions"),
        (Self::Contracts, "/billing-contracts", "Billing contracts"),
    ];
}

/// An entry of the rail that leads to a section.
pub(super) struct SectionLink {
    pub path: &'static str,
    pub label: &'static str,
    /// Where it says how much there is to do.
    pub count: Option<i64>,
    pub current: bool,
}

/// What surrounds a page.
pub(super) struct Shell {
    pub environment: String,
    pub kind: &'static str,
    pub user: String,
    pub csrf: String,
    pub views: Vec<ViewLink>,
    pub sections: Vec<SectionLink>,
    pub counts: Counts,
}

impl Shell {
    pub async fn of(
        state: &Data<ApiState>,
        visitor: &Visitor,
        current: Option<View>,
    ) -> Result<Self, FlowError> {
        let counts = state
            .flows
            .count_provider_accounts(&visitor.caller, None)
            .await?;
        let views = View::ALL.map(|view| ViewLink {
            name: view.name(),
            label: view.label(),
            count: view.count(&counts),
            current: current == Some(view),
        });
        Ok(Self {
            environment: state.pages.environment.clone(),
            kind: state.pages.kind,
            user: visitor.caller.actor.name.clone(),
            csrf: visitor.session.csrf.clone(),
            views: views.into(),
            sections: sections(state.flows.count_open_exceptions(&visitor.caller).await?),
            counts,
        })
    }

    /// Of a page of this section.
    pub fn at(mut self, section: Section) -> Self {
        for ((other, ..), link) in Section::ALL.into_iter().zip(&mut self.sections) {
            link.current = other == section;
        }
        self
    }
}

fn sections(exceptions: i64) -> Vec<SectionLink> {
    let links = Section::ALL.map(|(section, path, label)| SectionLink {
        path,
        label,
        count: (section == Section::Exceptions).then_some(exceptions),
        current: false,
    });
    links.into()
}
