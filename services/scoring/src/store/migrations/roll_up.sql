ALTER TABLE accounts ADD COLUMN rolls_up_to uuid;
