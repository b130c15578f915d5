-- What the peer's handlers let a signed-in user do, as grants.
GRANT SELECT, INSERT, UPDATE, DELETE
    ON authors, posts, comments, tags, post_tags, products, orders, order_items TO authenticated;
GRANT SELECT ON numbers TO authenticated;
