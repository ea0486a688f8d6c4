//! The bodies of Partner Center, as far as we use them. Texts borrow from the body; a listing has fewer fields of a
//! customer than the call by id, so one type serves both.

use serde::de::MapAccess;

use super::lenient::{Fields, List, Object, Taken, Text, is};

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
    /// A customer.
    Customer {
        id: Text<'a> = "id",
        company_profile: Object<CompanyProfile<'a>> = "companyProfile",
        relationship: Text<'a> = "relationshipToPartner",
        /// By id only.
        billing_profile: Object<BillingProfile<'a>> = "billingProfile",
        /// By id only.
        custom_domains: List<Text<'a>> = "customDomains",
    }
);

fields!(
    /// Who the customer is.
    CompanyProfile {
        tenant_id: Text<'a> = "tenantId",
        /// The current default domain. It changes, and may be `*.onmicrosoft.com`: evidence, never a key.
        domain: Text<'a> = "domain",
        company_name: Text<'a> = "companyName",
        /// By id only.
        email: Text<'a> = "email",
        /// By id only.
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
