//! The smallest program with the async client: asks for a list and says how long it is.

use std::error::Error;

use pipeline_hyper::{Client, proto::Credentials};

fn main() -> Result<(), Box<dyn Error>> {
    let credentials = Credentials::new("access-key", "secret-key")?;
    let client = Client::builder().credentials(credentials).build()?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let workflows = runtime.block_on(client.list_workflows().into_future())?;
    println!("{}", workflows.len());
    Ok(())
}
