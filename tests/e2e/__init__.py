"""The product as users meet it: commands, browsers, Prometheus, Grafana, clusters."""
