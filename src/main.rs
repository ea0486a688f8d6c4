//! The program. Everything it can do is a command of [`provider_bridge::app`].

fn main() {}
