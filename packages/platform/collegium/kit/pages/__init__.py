"""Page kit: components, lists with filters and keyset paging, the content policy, assets."""
