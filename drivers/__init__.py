"""Device drivers: one worker process per device, addresses instead of mocks."""
