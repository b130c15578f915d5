"""The data API in PostgREST's dialect; its door is `endpoints`."""
