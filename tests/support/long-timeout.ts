// These tests wait for servers and processes, not for code that may hang: each wait has its own limit and message.
jest.setTimeout(180_000);
