//! Many rows in one statement, and many values in one question.

use leadflow_harness::on_each_database;
use leadflow_platform::{
    db::{Tx, column_of, insert_all, insert_new, is_any, table_of},
    error::{Code, Result},
};
use sea_orm::{
    ActiveModelTrait as _, ConnectionTrait as _, EntityTrait as _, QueryFilter as _, QueryOrder as _, Set,
    sea_query::{ExprTrait as _, OnConflict, Query},
};

use crate::support::{
    notes::{count, number},
    open,
};

/// Of the table of notes.
mod note {
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "notes")]
    pub(crate) struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub(crate) author: i64,
        #[sea_orm(primary_key, auto_increment = false)]
        pub(crate) number: i64,
        pub(crate) note: Option<String>,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

/// A note of the first author; one in three says nothing.
fn note(number: i64) -> note::ActiveModel {
    let text = (number % 3 != 0).then(|| format!("'{number}', {{\"quoted\"}} \\ NULL"));
    note::ActiveModel { author: Set(1), number: Set(number), note: Set(text) }
}

fn there() -> OnConflict {
    OnConflict::columns([note::Column::Author, note::Column::Number]).do_nothing().to_owned()
}

async fn insert(tx: Tx, numbers: Vec<i64>) -> Result<()> {
    insert_all(&tx, numbers.into_iter().map(note).collect(), None).await
}

on_each_database! {
    async fn all_rows_are_written_as_they_are_and_nothing_is_nothing(test) {
        let database = open(&test).await;
        database.write(|tx| insert(tx, (0..2345).collect())).await.unwrap();
        let rows = note::Entity::find().order_by_asc(note::Column::Number).all(database.reader()).await.unwrap();
        let written: Vec<_> = rows.into_iter().map(|row| note::ActiveModel::from(row).reset_all()).collect();
        assert_eq!(written, (0..2345).map(note).collect::<Vec<_>>());
        database.write(|tx| insert(tx, Vec::new())).await.unwrap();
    }

    async fn a_row_that_is_refused_refuses_all(test) {
        let database = open(&test).await;
        let refused = database.write(|tx| insert(tx, vec![1, 2, -1])).await.unwrap_err();
        assert_eq!(refused.code(), Code::Internal);
        assert_eq!(count(&database).await, 0);
    }

    async fn what_is_there_already_is_told_from_what_is_new(test) {
        let database = open(&test).await;
        database.write(|tx| insert(tx, vec![3, 5])).await.unwrap();
        let new = database
            .write(|tx| async move { insert_new(&tx, (1..=6).map(note).collect(), there(), note::Column::Number).await })
            .await;
        let mut new: Vec<i64> = new.unwrap();
        new.sort_unstable();
        assert_eq!(new, [1, 2, 4, 6]);
        assert_eq!(count(&database).await, 6);
    }

    async fn one_question_finds_all_that_are_named(test) {
        let database = open(&test).await;
        database.write(|tx| insert(tx, (0..10).collect())).await.unwrap();
        let found = async |wanted: Vec<i64>| {
            let these = is_any(database.reader(), note::Column::Number, wanted);
            note::Entity::find().filter(these).all(database.reader()).await.unwrap().len()
        };
        assert_eq!(found(vec![1, 4, 11]).await, 2);
        assert_eq!(found(Vec::new()).await, 0);
    }

    async fn rows_that_are_given_can_be_joined_and_written_from(test) {
        let database = open(&test).await;
        database.write(|tx| insert(tx, vec![1, 2, 3])).await.unwrap();
        let rows = vec![vec![2.into(), "two".into()], vec![3.into(), Option::<String>::None.into()]];
        let update = Query::update()
            .table(note::Entity)
            .from(table_of(database.backend(), rows, "given"))
            .value(note::Column::Note, column_of("given", 2))
            .and_where(sea_orm::sea_query::Expr::col((note::Entity, note::Column::Number)).eq(column_of("given", 1)))
            .to_owned();
        database.write(move |tx| async move { Ok(tx.execute(&update).await.map(drop)?) }).await.unwrap();
        assert_eq!(number(&database, "SELECT count(*) FROM notes WHERE note = 'two' AND number = 2").await, 1);
        assert_eq!(number(&database, "SELECT count(*) FROM notes WHERE note IS NULL AND number = 3").await, 1);
        assert_eq!(number(&database, "SELECT count(*) FROM notes WHERE note LIKE '%quoted%' AND number = 1").await, 1);
    }

    async fn a_reader_sees_one_moment(test) {
        let database = open(&test).await;
        let other = database.clone();
        let seen = database
            .read(move |view| async move {
                let before = note::Entity::find().all(&*view).await?.len();
                other.write(|tx| insert(tx, vec![1, 2, 3])).await?;
                Ok((before, note::Entity::find().all(&*view).await?.len()))
            })
            .await;
        assert_eq!(seen.unwrap(), (0, 0));
        assert_eq!(count(&database).await, 3);
    }
}
