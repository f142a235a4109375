/// Waits until the expression is true, or panics after thirty seconds with what was waited for.
///
/// `eventually!(leads(&client).await.len() == 3)`, or with a value: `let lead = eventually!(some: find().await);`
#[macro_export]
macro_rules! eventually {
    (some: $option:expr) => {{
        let deadline = std::time::Instant::now() + std::time::Duration::from_secs(30);
        loop {
            if let Some(value) = $option {
                break value;
            }
            assert!(std::time::Instant::now() < deadline, "never came: {}", stringify!($option));
            tokio::time::sleep(std::time::Duration::from_millis(25)).await;
        }
    }};
    ($condition:expr) => {{
        let deadline = std::time::Instant::now() + std::time::Duration::from_secs(30);
        while !$condition {
            assert!(std::time::Instant::now() < deadline, "never came true: {}", stringify!($condition));
            tokio::time::sleep(std::time::Duration::from_millis(25)).await;
        }
    }};
}
