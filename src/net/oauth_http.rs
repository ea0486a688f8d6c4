//! Lets the `oauth2` crate call through our guarded client. A status that has nothing to do with the grant (429, 5xx)
//! becomes an error of its own here, with its `Retry-After`: the crate would try to read its body as a refusal and forget
//! the status.

use std::pin::Pin;
use std::time::Duration;

use oauth2::{HttpRequest, HttpResponse};

use super::client::HttpClient;
use super::error::NetError;
use super::retry_after::retry_after;
use crate::domain::context::Context;

/// The adapter.
#[derive(Debug, Clone)]
pub struct OauthHttp {
    /// Our client.
    pub client: HttpClient,
    /// For `Retry-After` given as a date.
    pub context: Context,
}

/// The token endpoint gave no grant and no refusal.
#[derive(Debug, thiserror::Error)]
pub enum OauthHttpError {
    /// No whole answer came.
    #[error(transparent)]
    Net(#[from] NetError),
    /// It is throttling us, or broken.
    #[error("the sign-in service answered {status}")]
    Status {
        /// 429 or 5xx.
        status: u16,
        /// How long it asked us to wait.
        retry_after: Option<Duration>,
    },
    /// The request or the answer does not fit the other crate's types.
    #[error("the sign-in service's answer could not be read")]
    Http,
}

impl<'c> oauth2::AsyncHttpClient<'c> for OauthHttp {
    type Error = OauthHttpError;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, OauthHttpError>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(async move {
            let request = request.try_into().map_err(|_| OauthHttpError::Http)?;
            let answer = self.client.execute(request).await?;
            if answer.status.as_u16() == 429 || answer.status.is_server_error() {
                return Err(OauthHttpError::Status {
                    status: answer.status.as_u16(),
                    retry_after: retry_after(&answer.headers, self.context.now()),
                });
            }
            let mut response = HttpResponse::new(answer.body.to_vec());
            *response.status_mut() = answer.status;
            *response.headers_mut() = answer.headers;
            Ok(response)
        })
    }
}
