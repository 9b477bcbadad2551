"""Deliveries of every family of webhooks in the shapes that their senders really use, with values of our own."""

import base64
import json
from collections.abc import Mapping
from typing import Any

from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA1, SHA256

Headers = Mapping[str, str]
JSON: Headers = {"content-type": "application/json"}
OPEN_END = "0001-01-01T00:00:00Z"  # how Go writes that there is no end yet


def encoded(document: Any) -> bytes:
    return json.dumps(document).encode()


def alert(name: str = "ContainerMemoryHigh", status: str = "firing", **labels: str) -> dict[str, Any]:
    """One alert of Alertmanager as cAdvisor's metrics raise it."""
    return {
        "status": status,
        "labels": {
            "alertname": name,
            "name": "checkout",
            "image": "shop/checkout:4.2",
            "instance": "cadvisor:8080",
            "job": "cadvisor",
            "severity": "critical",
            **labels,
        },
        "annotations": {
            "summary": "Memory of checkout is at 93 % of its limit",
            "memory_percent": "93.4",
            "runbook_url": "http://wiki.internal/memory",
        },
        "startsAt": "2026-11-20T11:58:30.123456789Z",
        "endsAt": OPEN_END if status == "firing" else "2026-11-20T12:03:30.123456789Z",
        "generatorURL": "http://prometheus:9090/graph?g0.expr=up",
        "fingerprint": "5c9b3a4f0d1e2b77",
    }


def alertmanager(*alerts: dict[str, Any], **known: Any) -> dict[str, Any]:
    alerts = alerts or (alert(),)
    return {
        "receiver": "aegis",
        "status": alerts[0]["status"],
        "alerts": list(alerts),
        "groupLabels": {"alertname": alerts[0]["labels"]["alertname"]},
        "commonLabels": alerts[0]["labels"],
        "commonAnnotations": alerts[0]["annotations"],
        "externalURL": "http://alertmanager:9093",
        "version": "4",
        "groupKey": '{}:{alertname="ContainerMemoryHigh"}',
        "truncatedAlerts": 0,
        **known,
    }


def grafana(*alerts: dict[str, Any], **known: Any) -> dict[str, Any]:
    own = {
        "values": {"B": 93.4, "C": 1},
        "valueString": "[ var='B' labels={name=checkout} value=93.4 ]",
        "silenceURL": "http://grafana:3000/alerting/silence/new?alertmanager=grafana",
        "dashboardURL": "",
        "panelURL": "",
    }
    chosen = [{**one, **own} for one in alerts or (alert(),)]
    state = "ok" if all(one["status"] == "resolved" for one in chosen) else "alerting"
    group = alertmanager(*chosen, version="1")
    title = "[FIRING:1] ContainerMemoryHigh (checkout)"
    return {**group, "orgId": 1, "title": title, "state": state, "message": "**Firing**\n\nValue: B=93.4", **known}


def uptime_kuma(status: int = 0, **monitor: Any) -> dict[str, Any]:
    return {
        "heartbeat": {
            "monitorID": 7,
            "status": status,
            "time": "2026-11-20 11:59:12.481",
            "msg": "connect ECONNREFUSED 172.18.0.4:8080" if status == 0 else "200 - OK",
            "ping": None if status == 0 else 41,
            "important": True,
            "duration": 60,
            "timezone": "Europe/Vienna",
            "timezoneOffset": "+01:00",
            "localDateTime": "2026-11-20 12:59:12",
        },
        "monitor": {
            "id": 7,
            "name": "checkout",
            "url": "http://checkout:8080/health",
            "hostname": None,
            "port": None,
            "type": "http",
            "docker_container": "",
            "interval": 60,
            "tags": [],
            **monitor,
        },
        "msg": f"[checkout] [{'🔴 Down' if status == 0 else '✅ Up'}] connect ECONNREFUSED 172.18.0.4:8080",
    }


def form(document: Any, boundary: str = "--------------------------735323031399963166993862") -> tuple[Headers, bytes]:
    """A multipart form with the document in its field `data`, as Node's form-data writes it."""
    head = 'Content-Disposition: form-data; name="data"'
    body = f"--{boundary}\r\n{head}\r\n\r\n{json.dumps(document)}\r\n--{boundary}--\r\n"
    return {"content-type": f"multipart/form-data; boundary={boundary}"}, body.encode()


def datadog(transition: str = "Triggered", **known: Any) -> dict[str, Any]:
    return {
        "title": "[P1] [Triggered on {container_name:checkout}] Memory of a container is high",
        "body": "Memory usage is above 85 %.\nCheck the cache.\n@webhook-aegis",
        "severity": "P1",
        "alert_type": "error",
        "alert_transition": transition,
        "tags": "container_name:checkout,env:prod,image_name:shop/checkout,monitor",
        "scopes": "container_name:checkout",
        "url": "https://app.datadoghq.eu/monitors/8812?group=container_name%3Acheckout",
        "id": "7712345678901234567",
        "aggreg_key": "d3a1f0c2",
        "alert_cycle_key": "5481231937194810",
        "metric": "docker.mem.in_use",
        "date": "1795175952000",
        **known,
    }


def pagerduty_v3(kind: str = "incident.triggered", **data: Any) -> dict[str, Any]:
    return {
        "event": {
            "id": "01DHCQ7ZV2N0PXE4K1A8SB3M5T",
            "event_type": kind,
            "resource_type": "incident",
            "occurred_at": "2026-11-20T11:59:30.000Z",
            "agent": {"id": "PLH1HKV", "type": "service_reference", "summary": "checkout"},
            "client": {"name": "Monitoring Service"},
            "data": {
                "id": "Q2AIU6DCFW2JGU",
                "type": "incident",
                "self": "https://api.pagerduty.com/incidents/Q2AIU6DCFW2JGU",
                "html_url": "https://shop.pagerduty.com/incidents/Q2AIU6DCFW2JGU",
                "number": 812,
                "status": "triggered",
                "incident_key": "checkout/health",
                "created_at": "2026-11-20T11:59:30Z",
                "title": "checkout: health check is failing",
                "service": {"id": "PF9KMXH", "type": "service_reference", "summary": "checkout"},
                "assignees": [{"id": "PTUXL6G", "type": "user_reference", "summary": "Person on call"}],
                "priority": {"id": "PSO75BM", "type": "priority_reference", "summary": "P1"},
                "urgency": "high",
                **data,
            },
        }
    }


def alarm(state: str = "ALARM", **known: Any) -> dict[str, Any]:
    """A CloudWatch alarm as it stands, as a text, in the message of SNS."""
    return {
        "AlarmName": "checkout-memory-high",
        "AlarmDescription": "Memory of the checkout service",
        "AWSAccountId": "123456789012",
        "NewStateValue": state,
        "NewStateReason": "Threshold Crossed: 1 datapoint [91.2] was greater than the threshold (85.0).",
        "StateChangeTime": "2026-11-20T11:59:02.345+0000",
        "Region": "EU (Frankfurt)",
        "AlarmArn": "arn:aws:cloudwatch:eu-central-1:123456789012:alarm:checkout-memory-high",
        "OldStateValue": "OK",
        "Trigger": {
            "MetricName": "MemoryUtilization",
            "Namespace": "AWS/ECS",
            "StatisticType": "Statistic",
            "Dimensions": [{"value": "checkout", "name": "ServiceName"}, {"value": "shop", "name": "ClusterName"}],
            "Period": 60,
            "EvaluationPeriods": 1,
            "ComparisonOperator": "GreaterThanThreshold",
            "Threshold": 85.0,
        },
        **known,
    }


TOPIC = "arn:aws:sns:eu-central-1:123456789012:alarms"
CERTIFICATE_URL = "https://sns.eu-central-1.amazonaws.com/SimpleNotificationService-0a1b2c3d.pem"


def sns(message: str | dict[str, Any], kind: str = "Notification", **known: Any) -> dict[str, Any]:
    return {
        "Type": kind,
        "MessageId": "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324",
        "TopicArn": TOPIC,
        "Subject": 'ALARM: "checkout-memory-high" in EU (Frankfurt)',
        "Message": message if isinstance(message, str) else json.dumps(message),
        "Timestamp": "2026-11-20T11:59:02.412Z",
        "SignatureVersion": "2",
        "Signature": "",
        "SigningCertURL": CERTIFICATE_URL,
        "UnsubscribeURL": "https://sns.eu-central-1.amazonaws.com/?Action=Unsubscribe",
        **known,
    }


def subscription() -> dict[str, Any]:
    url = "https://sns.eu-central-1.amazonaws.com/?Action=ConfirmSubscription&TopicArn=x&Token=2336412f37"
    text = "You have chosen to subscribe to the topic. To confirm, visit the SubscribeURL included in this message."
    known = {"Token": "2336412f37", "SubscribeURL": url}
    return {name: value for name, value in sns(text, "SubscriptionConfirmation", **known).items() if name != "Subject"}


SNS_HEADERS: Headers = {"content-type": "text/plain; charset=UTF-8", "x-amz-sns-message-type": "Notification"}


def cloudevent(**known: Any) -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "id": "b1a7c9e0-0001",
        "source": "/monitoring/node-1",
        "type": "io.shop.container.memory_high",
        "subject": "checkout",
        "time": "2026-11-20T11:59:00Z",
        "datacontenttype": "application/json",
        "data": {
            "container_name": "checkout",
            "severity": "critical",
            "message": "working set at 93 % of the limit",
            "metrics": {"memory_percent": 93.4},
        },
        **known,
    }


def pagerduty_event(action: str = "trigger", **payload: Any) -> dict[str, Any]:
    return {
        "routing_key": "samplekeyhere0123456789abcdef012",
        "event_action": action,
        "dedup_key": "checkout/cpu",
        "payload": {
            "summary": "CPU of checkout at 97 %",
            "source": "node-1.shop.internal",
            "severity": "error",
            "timestamp": "2026-11-20T11:59:40.000+0000",
            "component": "checkout",
            "group": "shop",
            "class": "cpu",
            "custom_details": {"load": 3.8, "limit": "0.5 CPUs"},
            **payload,
        },
        "client": "node monitor",
        "links": [{"href": "http://monitor.internal/checkout", "text": "curve"}],
    }


RAW_HEADERS: Headers = {
    "content-type": "text/plain; charset=UTF-8",
    "x-amz-sns-message-type": "Notification",
    "x-amz-sns-message-id": "7d1f2c80-0000-4c2c-8f9d-bdfb0c7bf324",
    "x-amz-sns-topic-arn": TOPIC,
    "x-amz-sns-rawdelivery": "true",
}


def signed_sns(key: RSAPrivateKey, envelope: dict[str, Any], version: str = "2") -> dict[str, Any]:
    """Sign as SNS does: the fields in the order of their names, each name and each value on its own line."""
    notification = ["Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"]
    others = ["Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"]
    names = notification if envelope["Type"] == "Notification" else others
    text = "".join(f"{name}\n{envelope[name]}\n" for name in names if name in envelope)
    signature = key.sign(text.encode(), PKCS1v15(), SHA1() if version == "1" else SHA256())
    return {**envelope, "SignatureVersion": version, "Signature": base64.b64encode(signature).decode()}


FIRING: Mapping[str, dict[str, Any]] = {
    "alertmanager": alertmanager(),
    "grafana": grafana(),
    "uptime_kuma": uptime_kuma(),
    "datadog": datadog(),
    "pagerduty_v3": pagerduty_v3(),
    "cloudwatch_sns": sns(alarm()),
    "cloudevents": cloudevent(),
    "pagerduty_events_v2": pagerduty_event(),
}
"""By family, a delivery that reports trouble of the container `checkout`."""
