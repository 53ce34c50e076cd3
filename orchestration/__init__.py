"""The accountability pipeline: from raw deliveries to categories and assistance lists."""
