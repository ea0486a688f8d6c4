//! One subscription, and "Why did nothing change?" (D7): what the provider has now, what we have, and each precondition in a
//! plain sentence. The provider is asked while the page is made.

use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse, get};
use askama::Template;

use super::door::{self, Visitor};
use super::shell::{Section, Shell};
use super::words::{ago, cost, difference, sentence};
use crate::domain::ids::{BillingContractId, ProductSubscriptionId, ProviderAccountId};
use crate::flows::FlowError;
use crate::http::state::ApiState;

#[derive(Template)]
#[template(path = "subscription.html", config = "src/http/pages/askama.toml")]
struct Page {
    shell: Shell,
    name: String,
    customer: ProviderAccountId,
    contract: Option<BillingContractId>,
    facts: Vec<(&'static str, String)>,
    compared: String,
    summary: String,
    checks: Vec<(String, bool, String)>,
    differences: Vec<(String, String, String)>,
}

async fn page(state: &Data<ApiState>, visitor: &Visitor, id: &str) -> Result<Page, FlowError> {
    let id: ProductSubscriptionId = door::id_of(id, "subscription")?;
    let flows = &state.flows;
    let found = flows.explain_subscription(&visitor.caller, id).await?;
    let (now, ours) = (flows.context.now(), found.ours);
    let listed = ours.listed;
    let cost = cost(&listed);
    let price = ours
        .selling_price
        .map_or_else(|| "by price list".to_owned(), |price| price.to_string());
    Ok(Page {
        shell: Shell::of(state, visitor, None)
            .await?
            .at(Section::Contracts),
        customer: ours.provider_account_id,
        contract: ours.contract_id,
        facts: vec![
            ("Id at the provider", listed.external_id.to_string()),
            (
                "Product",
                listed.product_id.unwrap_or_else(|| "unknown".to_owned()),
            ),
            ("Quantity", listed.quantity.to_string()),
            ("Status", listed.status),
            ("Unit cost", cost),
            ("Selling price", price),
        ],
        name: listed.name,
        compared: found
            .last_compared_at
            .map_or_else(|| "never".to_owned(), |at| ago(at, now)),
        summary: sentence(&found.summary),
        checks: found
            .preconditions
            .into_iter()
            .map(|it| (it.name.to_owned(), it.holds, it.detail))
            .collect(),
        differences: found.differences.iter().map(difference).collect(),
    })
}

#[get("/subscriptions/{id}")]
pub(super) async fn show(
    request: HttpRequest,
    state: Data<ApiState>,
    id: Path<String>,
) -> HttpResponse {
    door::show(&request, &state, async |visitor| {
        page(&state, visitor, &id).await
    })
    .await
}
