//! Links by which people say themselves whether they may be contacted.

use anyhow::Result;
use leadflow_proto::activity::v1 as pb;
use serde_json::{Value as Json, json};

use super::consent::{channel, channel_words};
use crate::{
    cli::{Format, UnsubscribeLink},
    client::{Clients, all},
    output::{self, Column, Rows, json_text, json_time, short_time},
};

pub(super) async fn unsubscribe(clients: &Clients, format: Format, args: UnsubscribeLink) -> Result<()> {
    let request = pb::GetUnsubscribeLinkRequest {
        contact_id: args.contact,
        channel: channel(&args.channel)?,
        purpose: args.purpose,
        source: args.source,
    };
    let pb::GetUnsubscribeLinkResponse { url, headers } =
        clients.consent_links.clone().get_unsubscribe_link(request).await?.into_inner();
    match format {
        Format::Json => {
            let headers: Json = headers.into_iter().map(|it| (it.name, Json::String(it.value))).collect();
            output::print_json(&json!({ "url": url, "headers": headers }));
        }
        Format::Table if headers.is_empty() => println!("{url}"),
        Format::Table => headers.iter().for_each(|it| println!("{}: {}", it.name, it.value)),
    }
    Ok(())
}

pub(super) async fn pending(clients: &Clients, format: Format, limit: usize) -> Result<()> {
    let mut client = clients.consent_links.clone();
    let page = async |page_size, page_token| {
        let request = pb::ListPendingConfirmationsRequest { page_size, page_token };
        let answer = client.list_pending_confirmations(request).await?.into_inner();
        Ok((answer.pending_confirmations, answer.next_page_token))
    };
    let (found, more) = all(limit, page).await?;
    output::list(format, found.iter().map(to_json).collect(), more, || {
        let heads = ["asked", "until", "contact", "channels", "purpose", "send to", "link"];
        let mut rows = Rows::new(heads.map(|head| Column(head, false)));
        for one in &found {
            rows.push([
                short_time(one.record_time.as_ref()),
                short_time(one.expire_time.as_ref()),
                one.contact_id.clone(),
                channel_words(one.channels()).join(", "),
                one.purpose.clone(),
                if one.email.is_empty() { one.phone.clone() } else { one.email.clone() },
                one.url.clone(),
            ]);
        }
        rows.print("Nothing waits for a confirmation.");
    });
    Ok(())
}

fn to_json(one: &pb::PendingConfirmation) -> Json {
    json!({
        "activity_id": one.activity_id,
        "contact_id": one.contact_id,
        "source": one.source,
        "channels": channel_words(one.channels()),
        "purpose": one.purpose,
        "email": json_text(&one.email),
        "phone": json_text(&one.phone),
        "url": one.url,
        "record_time": json_time(one.record_time.as_ref()),
        "expire_time": json_time(one.expire_time.as_ref()),
    })
}
