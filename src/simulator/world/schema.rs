//! The columns of the two Dataverse tables that exist here, named as Dataverse names them. One list drives everything that
//! is generic over columns: packing of rows, `$select`, `$filter`, writes, annotations and `EntityDefinitions`.

/// The number of a column: its place in [`Table::columns`].
pub(in crate::simulator) type ColumnId = u8;

/// What a column holds, and how it behaves on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::simulator) enum Kind {
    /// The primary key.
    Key,
    /// Text of at most so many characters.
    Text(u16),
    /// A whole number.
    Whole,
    /// A number with a fraction.
    Decimal,
    /// Yes or no.
    Flag,
    /// A choice; the labels are its values from the first number on.
    Choice(i64, &'static [&'static str]),
    /// An instant.
    Instant,
    /// A reference to a row of one of these tables; read as `_name_value`, written as `name@odata.bind`.
    Lookup(&'static [&'static str]),
}

/// Who may write a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::simulator) enum Access {
    /// Callers may.
    Write,
    /// Only the platform does.
    System,
}

/// One column.
#[derive(Debug)]
pub(in crate::simulator) struct Column {
    pub name: &'static str,
    pub kind: Kind,
    pub access: Access,
    /// The property it is read as: the name, or `_name_value` of a lookup.
    pub property: &'static str,
}

/// One table.
#[derive(Debug)]
pub(in crate::simulator) struct Table {
    /// Logical name.
    pub name: &'static str,
    /// Entity set name, as in URLs.
    pub set: &'static str,
    pub label: &'static str,
    pub type_code: i64,
    /// Column shown as the row's name.
    pub primary_name: &'static str,
    pub columns: &'static [Column],
}

impl Table {
    /// The column that is read as `property`, or has it as its logical name.
    pub fn column(&self, property: &str) -> Option<(ColumnId, &'static Column)> {
        let at = self
            .columns
            .iter()
            .position(|column| column.property == property || column.name == property)?;
        Some((ColumnId::try_from(at).ok()?, self.columns.get(at)?))
    }
}

const fn text(name: &'static str, length: u16) -> Column {
    column(name, Kind::Text(length))
}

const fn column(name: &'static str, kind: Kind) -> Column {
    Column {
        name,
        kind,
        access: Access::Write,
        property: name,
    }
}

const fn system(name: &'static str, kind: Kind) -> Column {
    Column {
        name,
        kind,
        access: Access::System,
        property: name,
    }
}

const fn lookup(name: &'static str, property: &'static str, to: &'static [&'static str]) -> Column {
    Column {
        name,
        kind: Kind::Lookup(to),
        access: Access::Write,
        property,
    }
}

const fn system_lookup(
    name: &'static str,
    property: &'static str,
    to: &'static [&'static str],
) -> Column {
    Column {
        name,
        kind: Kind::Lookup(to),
        access: Access::System,
        property,
    }
}

const STATE: Kind = Kind::Choice(0, &["Active", "Inactive"]);
const STATUS: Kind = Kind::Choice(1, &["Active", "Inactive"]);
const CUSTOMER_TYPE: Kind = Kind::Choice(
    1,
    &[
        "Competitor",
        "Consultant",
        "Customer",
        "Investor",
        "Partner",
        "Influencer",
        "Press",
        "Prospect",
        "Reseller",
        "Supplier",
        "Vendor",
        "Other",
    ],
);

/// The `account` table.
pub(in crate::simulator) static ACCOUNT: Table = Table {
    name: "account",
    set: "accounts",
    label: "Account",
    type_code: 1,
    primary_name: "name",
    columns: &[
        system("accountid", Kind::Key),
        text("name", 160),
        column("statecode", STATE),
        column("statuscode", STATUS),
        text("accountnumber", 20),
        text("websiteurl", 200),
        text("emailaddress1", 100),
        text("emailaddress2", 100),
        text("emailaddress3", 100),
        text("telephone1", 50),
        text("telephone2", 50),
        text("telephone3", 50),
        text("fax", 50),
        text("address1_line1", 250),
        text("address1_line2", 250),
        text("address1_line3", 250),
        text("address1_city", 80),
        text("address1_stateorprovince", 50),
        text("address1_postalcode", 20),
        text("address1_country", 80),
        system("address1_composite", Kind::Text(1000)),
        text("description", 2000),
        text("tickersymbol", 10),
        text("sic", 20),
        text("yominame", 160),
        column("customertypecode", CUSTOMER_TYPE),
        column("numberofemployees", Kind::Whole),
        column("revenue", Kind::Decimal),
        lookup("primarycontactid", "_primarycontactid_value", &["contact"]),
        lookup("parentaccountid", "_parentaccountid_value", &["account"]),
        system_lookup("masterid", "_masterid_value", &["account"]),
        system("merged", Kind::Flag),
        lookup("ownerid", "_ownerid_value", &["systemuser", "team"]),
        system_lookup(
            "owningbusinessunit",
            "_owningbusinessunit_value",
            &["businessunit"],
        ),
        system("createdon", Kind::Instant),
        system("modifiedon", Kind::Instant),
        system("versionnumber", Kind::Whole),
    ],
};

/// The `contact` table.
pub(in crate::simulator) static CONTACT: Table = Table {
    name: "contact",
    set: "contacts",
    label: "Contact",
    type_code: 2,
    primary_name: "fullname",
    columns: &[
        system("contactid", Kind::Key),
        system("fullname", Kind::Text(160)),
        column("statecode", STATE),
        column("statuscode", STATUS),
        text("firstname", 50),
        text("lastname", 50),
        text("emailaddress1", 100),
        text("emailaddress2", 100),
        text("emailaddress3", 100),
        text("telephone1", 50),
        text("mobilephone", 50),
        text("jobtitle", 100),
        text("company", 50),
        text("address1_line1", 250),
        text("address1_city", 80),
        text("address1_stateorprovince", 50),
        text("address1_postalcode", 20),
        text("address1_country", 80),
        text("description", 2000),
        text("externaluseridentifier", 50),
        text("employeeid", 50),
        lookup(
            "parentcustomerid",
            "_parentcustomerid_value",
            &["account", "contact"],
        ),
        system_lookup("accountid", "_accountid_value", &["account"]),
        system_lookup("masterid", "_masterid_value", &["contact"]),
        system("merged", Kind::Flag),
        lookup("ownerid", "_ownerid_value", &["systemuser", "team"]),
        system_lookup(
            "owningbusinessunit",
            "_owningbusinessunit_value",
            &["businessunit"],
        ),
        system("createdon", Kind::Instant),
        system("modifiedon", Kind::Instant),
        system("versionnumber", Kind::Whole),
    ],
};

/// The table of that entity set or logical name.
pub(in crate::simulator) fn table(name: &str) -> Option<&'static Table> {
    [&ACCOUNT, &CONTACT]
        .into_iter()
        .find(|table| table.set == name || table.name == name)
}
