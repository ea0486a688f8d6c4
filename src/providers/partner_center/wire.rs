//! The bodies of Partner Center, as far as we use them. Texts borrow from the body. A customer of the listing has a type
//! of its own, without what only the call by id gives: 500 of the larger one make reading a page half as slow again.

use serde::de::MapAccess;

use super::lenient::{Fields, List, Loose, Object, Taken, Text, is};

/// Makes an object of fields by their documented names.
macro_rules! fields {
    ($(#[$doc:meta])* $name:ident { $($(#[$field_doc:meta])* $field:ident: $type:ty = $wire:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Default)]
        pub(super) struct $name<'a> {
            $($(#[$field_doc])* pub(super) $field: $type,)+
        }

        impl<'a> Fields<'a> for $name<'a> {
            fn take<A: MapAccess<'a>>(&mut self, name: &str, map: &mut A) -> Result<Taken, A::Error> {
                $(if is(name, $wire) {
                    self.$field = map.next_value()?;
                    return Ok(Taken::Yes);
                })+
                Ok(Taken::No)
            }
        }
    };
}

fields!(
    /// A page of the listing of customers. `totalCount` is not read: it counts the page, not the customers.
    Page {
        items: List<Object<Customer<'a>>> = "items",
        continuation_token: Text<'a> = "continuationToken",
        links: Object<Links<'a>> = "links",
    }
);

fields!(
    /// The links of a page.
    Links {
        next: Object<Link<'a>> = "next",
    }
);

fields!(
    /// A link. Its `uri` is never followed; the headers it asks for hold the continuation token.
    Link {
        headers: List<Object<LinkHeader<'a>>> = "headers",
    }
);

fields!(
    /// A header that a link asks for.
    LinkHeader {
        key: Text<'a> = "key",
        value: Text<'a> = "value",
    }
);

fields!(
    /// A customer of the listing.
    Customer {
        id: Text<'a> = "id",
        company_profile: Object<CompanyProfile<'a>> = "companyProfile",
        relationship: Text<'a> = "relationshipToPartner",
    }
);

fields!(
    /// Who a customer of the listing is.
    CompanyProfile {
        tenant_id: Text<'a> = "tenantId",
        /// The current default domain. It changes, and may be `*.onmicrosoft.com`: evidence, never a key.
        domain: Text<'a> = "domain",
        company_name: Text<'a> = "companyName",
    }
);

fields!(
    /// A customer by id, without what the listing says of it too.
    DetailedCustomer {
        id: Text<'a> = "id",
        company_profile: Object<DetailedCompanyProfile<'a>> = "companyProfile",
        billing_profile: Object<BillingProfile<'a>> = "billingProfile",
        custom_domains: List<Text<'a>> = "customDomains",
    }
);

fields!(
    /// Where the customer is, and how it is written to.
    DetailedCompanyProfile {
        tenant_id: Text<'a> = "tenantId",
        email: Text<'a> = "email",
        address: Object<Address<'a>> = "address",
    }
);

fields!(
    /// Who pays.
    BillingProfile {
        email: Text<'a> = "email",
        default_address: Object<Address<'a>> = "defaultAddress",
    }
);

fields!(
    /// An address, without the person it names.
    Address {
        country: Text<'a> = "country",
        city: Text<'a> = "city",
        postal_code: Text<'a> = "postalCode",
    }
);

fields!(
    /// All subscriptions of a customer.
    SubscriptionPage {
        items: List<Object<Loose>> = "items",
        total_count: Text<'a> = "totalCount",
    }
);

fields!(
    /// An error. The API writes `code` and `description`, its gateway `statusCode` and `message`, and some layers put
    /// either below `error`.
    ErrorBody {
        code: Text<'a> = "code",
        description: Text<'a> = "description",
        message: Text<'a> = "message",
        status_code: Text<'a> = "statusCode",
        error: Object<InnerError<'a>> = "error",
    }
);

fields!(
    /// An error below `error`.
    InnerError {
        code: Text<'a> = "code",
        description: Text<'a> = "description",
        message: Text<'a> = "message",
    }
);
