//! Calls KMS through the AWS SDK for Rust as its users do, with nothing set but the environment. Its
//! arguments are a key to encrypt under and a P-256 key to sign with; it prints one `name value` line a
//! result, bytes in hexadecimal.

use std::collections::HashMap;
use std::error::Error;
use std::process::ExitCode;

use aws_sdk_kms::Client;
use aws_sdk_kms::error::DisplayErrorContext;
use aws_sdk_kms::primitives::Blob;
use aws_sdk_kms::types::{DataKeySpec, MessageType, SigningAlgorithmSpec};

const MESSAGE: &str = "hello from Rust";

type Outcome = Result<(), Box<dyn Error>>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{}", DisplayErrorContext(&*error));
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Outcome {
    let arguments: Vec<String> = std::env::args().collect();
    let http = aws_smithy_http_client::Builder::new().build_http();
    let settings = aws_config::from_env().http_client(http).load().await;
    let client = Client::new(&settings);
    encrypt(&client, &arguments[1]).await?;
    data_key(&client, &arguments[1]).await?;
    sign(&client, &arguments[2]).await
}

async fn encrypt(client: &Client, key: &str) -> Outcome {
    let sealed = client
        .encrypt()
        .key_id(key)
        .plaintext(Blob::new(MESSAGE))
        .set_encryption_context(context("Zürich"))
        .send()
        .await?
        .ciphertext_blob
        .ok_or("no ciphertext")?;
    let opened = client
        .decrypt()
        .ciphertext_blob(sealed.clone())
        .set_encryption_context(context("Zürich"))
        .send()
        .await?
        .plaintext
        .ok_or("no plaintext")?;
    println!("ciphertext {}", hex(sealed.as_ref()));
    println!("opened {}", String::from_utf8(opened.into_inner())?);

    let refused = client
        .decrypt()
        .ciphertext_blob(sealed)
        .set_encryption_context(context("Genève"))
        .send()
        .await;
    match refused.map_err(|error| error.into_service_error()) {
        Err(error) if error.is_invalid_ciphertext_exception() => {
            println!("refused {}", error.meta().code().unwrap_or("without a code"));
            Ok(())
        }
        Err(error) => Err(error.into()),
        Ok(_) => Err("another context opened it".into()),
    }
}

async fn data_key(client: &Client, key: &str) -> Outcome {
    let made = client
        .generate_data_key()
        .key_id(key)
        .key_spec(DataKeySpec::Aes256)
        .send()
        .await?;
    let sealed = made.ciphertext_blob.ok_or("no ciphertext")?;
    let plaintext = made.plaintext.ok_or("no plaintext")?;
    let opened = client.decrypt().ciphertext_blob(sealed).send().await?;
    let length = plaintext.as_ref().len();
    println!("data-key {length} {}", opened.plaintext == Some(plaintext));
    Ok(())
}

/// Rust's standard library verifies no signature: KMS is asked, once for the right one and once for a
/// changed one.
async fn sign(client: &Client, key: &str) -> Outcome {
    let signed = client
        .sign()
        .key_id(key)
        .message(Blob::new(MESSAGE))
        .message_type(MessageType::Raw)
        .signing_algorithm(SigningAlgorithmSpec::EcdsaSha256)
        .send()
        .await?;
    let signature = signed.signature.ok_or("no signature")?.into_inner();
    let verify = |signature: Vec<u8>| {
        client
            .verify()
            .key_id(key)
            .message(Blob::new(MESSAGE))
            .message_type(MessageType::Raw)
            .signing_algorithm(SigningAlgorithmSpec::EcdsaSha256)
            .signature(Blob::new(signature))
            .send()
    };
    let mut changed = signature.clone();
    *changed.last_mut().ok_or("an empty signature")? ^= 1;
    let valid = verify(signature).await?.signature_valid;
    match verify(changed).await.map_err(|error| error.into_service_error()) {
        Err(error) if error.is_kms_invalid_signature_exception() => {}
        Err(error) => return Err(error.into()),
        Ok(_) => return Err("a changed signature was verified".into()),
    }
    println!("verified {valid}");
    Ok(())
}

fn context(city: &str) -> Option<HashMap<String, String>> {
    let entries = [("purpose", "round trip"), ("city", city)];
    Some(entries.map(|(name, value)| (name.to_owned(), value.to_owned())).into())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
