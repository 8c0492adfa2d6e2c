"""Model versions: which one is champion, what is known of each, and what may become one."""
