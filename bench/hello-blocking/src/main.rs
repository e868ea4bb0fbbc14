//! The smallest program with the blocking client: asks for a list and says how long it is.

use std::error::Error;

use pipeline_blocking::{Client, proto::Credentials};

fn main() -> Result<(), Box<dyn Error>> {
    let credentials = Credentials::new("access-key", "secret-key")?;
    let client = Client::builder().credentials(credentials).build()?;
    println!("{}", client.list_workflows().send()?.len());
    Ok(())
}
