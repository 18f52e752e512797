"""The companion hall (网上办事大厅)."""
