// Nothing here is timed: five seconds are too few for a test that runs programs on a machine that is busy.
jest.setTimeout(30_000);
