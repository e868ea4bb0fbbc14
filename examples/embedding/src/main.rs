//! The status of all workflows, asked for at once in one thread.

use std::{env, error::Error};

use pipeline_embedding_example::Runtime;
use pipeline_proto::{
    CallOptions, Context, Credentials,
    resource::workflow::{GetWorkflowStatus, ListWorkflows},
};

fn main() -> Result<(), Box<dyn Error>> {
    let keys = Credentials::new(
        env::var("PANDORA_ACCESS_KEY")?,
        env::var("PANDORA_SECRET_KEY")?,
    )?;
    let endpoint = env::var("PANDORA_ENDPOINT")?.parse()?;
    let context = Context::builder().endpoint(endpoint).credentials(keys);
    let mut runtime = Runtime::new(context.build())?;

    let list = runtime.spawn(ListWorkflows::new(), CallOptions::new())?;
    runtime.run();
    let list = list.take().ok_or("the call has not ended")??;

    let mut responses = Vec::new();
    for workflow in &list {
        let status = GetWorkflowStatus::new((&workflow.name).try_into()?);
        responses.push(runtime.spawn(status, CallOptions::new())?);
    }
    runtime.run();
    for (workflow, response) in list.iter().zip(responses) {
        match response.take().ok_or("the call has not ended")? {
            Ok(state) => println!("{:16} {}", workflow.name, state.status),
            Err(error) => println!("{:16} {error}", workflow.name),
        }
    }
    Ok(())
}
