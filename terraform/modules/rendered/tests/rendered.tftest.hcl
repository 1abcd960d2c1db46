# Values and functions only: no provider, no cluster.

variables {
  text = <<-YAML
    # made by npm run render
    apiVersion: v1
    kind: Namespace
    metadata:
      labels:
        app.kubernetes.io/component: policy
      name: chart
    ---
    apiVersion: v1
    kind: ConfigMap
    metadata:
      labels:
        app.kubernetes.io/component: service
      name: symbols
      namespace: chart
    data:
      SYMBOLS: BTCUSDT
      text: |
        a line of three dashes inside of a text
        ---
        parts nothing
    ---
    apiVersion: v1
    kind: Service
    metadata:
      labels:
        app.kubernetes.io/component: data-store
      name: redis
      namespace: chart
    ---
    apiVersion: monitoring.coreos.com/v1
    kind: PrometheusRule
    metadata:
      labels:
        app.kubernetes.io/component: monitoring
      name: chart
      namespace: chart
  YAML
}

run "each_object_has_one_owner" {
  command = plan

  assert {
    condition     = join(" ", keys(output.objects)) == "ConfigMap/chart/symbols Namespace/chart PrometheusRule/chart/chart Service/chart/redis"
    error_message = "Objects are known by kind, namespace and name: ${join(" ", keys(output.objects))}"
  }
  assert {
    condition = (
      join(" ", keys(output.policy)) == "Namespace/chart" &&
      join(" ", keys(output.service)) == "ConfigMap/chart/symbols" &&
      join(" ", keys(output.data_stores)) == "Service/chart/redis" &&
      join(" ", keys(output.monitoring)) == "PrometheusRule/chart/chart"
    )
    error_message = "An object went to the wrong owner."
  }
  assert {
    condition     = output.objects["ConfigMap/chart/symbols"].data.text == "a line of three dashes inside of a text\n---\nparts nothing\n"
    error_message = "A text inside of an object was cut."
  }
}

run "an_object_of_nobody_is_refused" {
  command = plan
  variables {
    text = "apiVersion: v1\nkind: Service\nmetadata:\n  name: stray\n  namespace: chart\n  labels: {app.kubernetes.io/component: other}\n"
  }
  expect_failures = [output.objects]
}

run "what_the_api_leaves_out_is_refused_null" {
  command = plan
  variables {
    text = "apiVersion: v1\nkind: Service\nmetadata:\n  name: redis\n  labels: {app.kubernetes.io/component: service}\nspec:\n  clusterIP: null\n"
  }
  expect_failures = [output.objects]
}

run "what_the_api_leaves_out_is_refused_empty_list" {
  command = plan
  variables {
    text = "apiVersion: v1\nkind: Service\nmetadata:\n  name: redis\n  labels: {app.kubernetes.io/component: service}\nspec:\n  ports: []\n"
  }
  expect_failures = [output.objects]
}

run "what_the_api_leaves_out_is_refused_false" {
  command = plan
  variables {
    text = "apiVersion: v1\nkind: Service\nmetadata:\n  name: redis\n  labels: {app.kubernetes.io/component: service}\nspec:\n  publishNotReadyAddresses: false\n"
  }
  expect_failures = [output.objects]
}

run "what_the_api_leaves_out_is_refused_empty_block" {
  command = plan
  variables {
    text = "apiVersion: v1\nkind: Pod\nmetadata:\n  name: a\n  labels: {app.kubernetes.io/component: service}\nspec:\n  volumes:\n  - name: tmp\n    emptyDir: {}\n"
  }
  expect_failures = [output.objects]
}

run "an_amount_that_the_api_would_write_otherwise_is_refused" {
  command = plan
  variables {
    text = "apiVersion: v1\nkind: LimitRange\nmetadata:\n  name: a\n  labels: {app.kubernetes.io/component: policy}\nspec:\n  limits:\n  - default:\n      cpu: \"0.5\"\n"
  }
  expect_failures = [output.objects]
}

run "a_thousand_is_refused" {
  command = plan
  variables {
    text = "apiVersion: v1\nkind: LimitRange\nmetadata:\n  name: a\n  labels: {app.kubernetes.io/component: policy}\nspec:\n  averageValue: \"1000\"\n"
  }
  expect_failures = [output.objects]
}

run "what_the_api_keeps_is_taken" {
  command = plan
  variables {
    text = "apiVersion: v1\nkind: Pod\nmetadata:\n  name: a\n  labels: {app.kubernetes.io/component: policy}\nspec:\n  automountServiceAccountToken: false\n  text: \"a \\\"b\\\":null, c\"\n  limits:\n    cpu: 500m\n    memory: 1536Mi\n  podSelector: {}\n"
  }

  assert {
    condition     = length(output.objects) == 1
    error_message = "An object that the API would not change was refused."
  }
}

run "a_text_without_objects_is_refused" {
  command = plan
  variables {
    text = "# nothing\n"
  }
  expect_failures = [var.text]
}
