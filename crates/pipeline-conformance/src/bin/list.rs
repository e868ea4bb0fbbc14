//! Lists workflows with both clients, as they are made by default: the environment says by which proxy.
//! A child process of tests, which set its environment.

use std::{error::Error, time::Duration};

use pipeline_proto::{Endpoint, RetryPolicy};

macro_rules! builder {
    ($client:ty, $endpoint:expr) => {
        <$client>::builder()
            .endpoint($endpoint.clone())
            .retry(RetryPolicy::none())
            .total_timeout(Duration::from_secs(20))
            .build()
    };
}

fn main() -> Result<(), Box<dyn Error>> {
    let endpoint: Endpoint = std::env::args().nth(1).ok_or("no endpoint")?.parse()?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    match builder!(pipeline_blocking::Client, endpoint) {
        Err(error) => println!("no client: {error}"),
        Ok(client) => show(client.list_workflows().send().map_err(Into::into)),
    }
    match builder!(pipeline_hyper::Client, endpoint) {
        Err(error) => println!("no client: {error}"),
        Ok(client) => show(
            runtime
                .block_on(client.list_workflows().into_future())
                .map_err(Into::into),
        ),
    }
    Ok(())
}

fn show<T>(result: Result<Vec<T>, Box<dyn Error>>) {
    match result {
        Ok(list) => println!("{} workflows", list.len()),
        Err(error) => {
            let below = error.source().map(ToString::to_string);
            println!("{error}: {}", below.unwrap_or_default());
        }
    }
}
