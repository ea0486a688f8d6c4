//! The pure matching rules, usable as a library. Two ways to decide which Account a Provider Account is:
//!
//! * [`classic`], the rule of domains alone (B6);
//! * the engine, [`decide::Engine`]: facts as written ([`facts`]) are made comparable ([`text`]), Accounts are indexed
//!   ([`index`]), a few candidates are retrieved ([`retrieve`]) and measured ([`measure`], [`features`]), records of one
//!   customer are put together ([`rank`]), a learned model ([`model`], [`forest`], [`trees`]) gives a confidence that holds, vetoes
//!   ([`vetoes`]) forbid what no confidence may do, and [`explain`] says why. [`learn`] makes models.
//!
//! No IO and no clock: whoever owns an engine feeds it. A wrong mapping bills the wrong customer. Where coverage and
//! precision pull apart, precision wins (decision 5).

pub mod align;
pub mod classic;
pub mod decide;
pub mod domain_class;
mod evidence;
pub mod explain;
pub mod facts;
pub mod features;
pub mod forest;
pub mod in_order;
pub mod index;
pub mod learn;
pub mod measure;
pub mod model;
pub mod population;
pub mod prepare;
pub mod rank;
mod reasons;
pub mod retrieve;
pub mod text;
pub mod trees;
pub mod vetoes;
