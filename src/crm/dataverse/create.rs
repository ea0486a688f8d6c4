//! Creating an Account under an id of ours: `PATCH accounts(id)` with `If-None-Match: *` creates and never updates, so that
//! asking again after a lost answer makes no second one. (Microsoft: "Upsert a table row", "Perform conditional operations".)

use serde_json::{Map, Value, json};

use super::links::Organisation;
use super::transport::{Call, Transport};
use crate::domain::account::NewAccount;
use crate::domain::ids::AccountId;
use crate::domain::ports::crm::CrmError;

/// Creates the Account; false when it is there already.
pub(super) async fn account(
    transport: &Transport,
    organisation: &Organisation,
    id: AccountId,
    new: &NewAccount,
) -> Result<bool, CrmError> {
    let url = organisation.query(&format!("accounts({id})"), &[]);
    let mut call = Call::new("creating an account", url);
    call.create = Some(row(new));
    match transport.get(&call).await {
        Ok(_) => Ok(true),
        Err(failure) if failure.already_there() => Ok(false),
        Err(failure) => Err(failure.error),
    }
}

fn row(new: &NewAccount) -> Value {
    let mut row = Map::new();
    let mut put = |name: &str, text: Option<&String>| {
        if let Some(text) = text {
            row.insert(name.to_owned(), json!(text));
        }
    };
    put("name", Some(&new.name));
    put("websiteurl", new.website.as_ref());
    put("address1_country", new.country.as_ref());
    put("address1_city", new.city.as_ref());
    put("address1_postalcode", new.postal_code.as_ref());
    if let Some(owner) = new.owner_user_id {
        row.insert(
            "ownerid@odata.bind".to_owned(),
            json!(format!("/systemusers({owner})")),
        );
    }
    if let Some(unit) = new.business_unit_id {
        row.insert(
            "owningbusinessunit@odata.bind".to_owned(),
            json!(format!("/businessunits({unit})")),
        );
    }
    Value::Object(row)
}
