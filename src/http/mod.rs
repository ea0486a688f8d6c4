//! The `http` room.

pub mod problem;
pub mod problem_code;
