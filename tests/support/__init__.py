"""What the black-box tests share: a daemon of their own, a client for it, and a look at the kernel."""
