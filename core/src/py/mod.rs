//! What Python sees of the engine, and what the engine needs of Python.

mod asked;
pub mod broadcast;
pub mod context;
pub mod driver;
pub mod exporter;
pub mod gil;
pub mod job;
pub mod learnt;
pub mod meta;
pub mod parts;
pub mod query;
pub mod reactor;
pub mod render;
pub mod replay;
pub mod request;
pub mod step;
pub mod waiter;
pub mod websocket;
