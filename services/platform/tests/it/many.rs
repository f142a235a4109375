//! Many rows in one statement, and many values in one question.

use leadflow_harness::on_each_database;
use leadflow_platform::{
    db::{Tx, column_of, from_rows, insert_all, insert_new, is_any, update_all},
    error::{Code, Result},
};
use sea_orm::{
    ActiveModelTrait as _, ConnectionTrait as _, EntityTrait as _, QueryFilter as _, QueryOrder as _, Set,
    sea_query::{Expr, ExprTrait as _, OnConflict, Query},
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
        let add = async |numbers: std::ops::Range<i64>| {
            let rows = numbers.map(note).collect();
            database.write(|tx| async move { insert_new(&tx, rows, there()).await }).await.unwrap()
        };
        assert_eq!(add(1..7).await, 4);
        assert_eq!(add(1..2000).await, 1993);
        assert_eq!(count(&database).await, 1999);
    }

    async fn what_is_the_same_in_many_rows_is_written_in_each(test) {
        let database = open(&test).await;
        let alike = |numbers: std::ops::Range<i64>, note: Option<&str>| {
            let note = note.map(str::to_owned);
            let row = |number| note::ActiveModel { author: Set(7), number: Set(number), note: Set(note.clone()) };
            numbers.map(row).collect::<Vec<_>>()
        };
        let (few, many) = (alike(0..3, Some("few")), alike(3..200, Some("many")));
        for rows in [few, many, alike(200..300, None), alike(300..301, None)] {
            database.write(|tx| async move { insert_all(&tx, rows, None).await }).await.unwrap();
        }
        let are = async |what: &str| number(&database, &format!("SELECT count(*) FROM notes WHERE {what}")).await;
        assert_eq!(are("author = 7").await, 301);
        assert_eq!(are("note = 'few'").await, 3);
        assert_eq!(are("note = 'many' AND number BETWEEN 3 AND 199").await, 197);
        assert_eq!(are("note IS NULL AND number >= 200").await, 101);
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

    async fn rows_that_are_there_become_as_is_given(test) {
        let database = open(&test).await;
        database.write(|tx| insert(tx, vec![1, 2, 3])).await.unwrap();
        let rows = vec![
            vec![1.into(), "one".into()],
            vec![2.into(), "two".into()],
            vec![3.into(), Option::<String>::None.into()],
        ];
        let write = |tx| async move {
            update_all(&tx, note::Column::Number, &[note::Column::Note], rows, |update| {
                update.value(note::Column::Author, 2).and_where(column_of("given", 1).gt(1));
            })
            .await
        };
        database.write(write).await.unwrap();
        let are = async |what: &str| number(&database, &format!("SELECT count(*) FROM notes WHERE {what}")).await;
        assert_eq!(are("note = 'two' AND number = 2 AND author = 2").await, 1);
        assert_eq!(are("note IS NULL AND number = 3 AND author = 2").await, 1);
        assert_eq!(are("note LIKE '%quoted%' AND number = 1 AND author = 1").await, 1);
    }

    async fn rows_that_are_given_can_be_joined(test) {
        let database = open(&test).await;
        database.write(|tx| insert(tx, vec![1, 2, 3])).await.unwrap();
        let rows = vec![vec![2.into(), "'2', {\"quoted\"} \\ NULL".into()], vec![3.into(), "four".into()]];
        let asked = |number| column_of("asked", number);
        let same = Expr::col((note::Entity, note::Column::Number))
            .eq(asked(1))
            .and(Expr::col((note::Entity, note::Column::Note)).eq(asked(2)));
        let query = from_rows(database.backend(), rows, "asked", |table| {
            let numbers = (note::Entity, note::Column::Number);
            Query::select().column(numbers).from(table).inner_join(note::Entity, same).to_owned()
        });
        let found = database.reader().query_all_raw(query).await.unwrap();
        let found: Vec<i64> = found.iter().map(|row| row.try_get_by_index(0).unwrap()).collect();
        assert_eq!(found, [2]);
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
