pragma ComponentBehavior: Bound
import QtQuick
import QtQuick.Layouts
import CitizensWindow
import "../controls"
import "../theme"

PageFrame {
    id: page

    // few answers have room; many should be seen at one glance
    readonly property real rowHeight: !Theme.portrait ? 108 : CheckModel.count < 7 ? 144 : CheckModel.count < 10 ? 124 : 108

    over: CheckModel.itemName
    title: qsTr("请核对一遍")
    notice: CheckModel.notice
    showBack: true
    primaryText: CheckModel.submitLabel
    primarySymbol: CheckModel.submitLabel === qsTr("确认打印") ? "printer" : "check"
    onPrimary: CheckModel.submit()

    Card {
        Layout.fillWidth: true
        implicitHeight: rows.implicitHeight + 16

        ColumnLayout {
            id: rows
            y: 8
            width: parent.width
            spacing: 0

            Repeater {
                id: repeater
                model: CheckModel.rows

                Item {
                    id: row

                    required property int index
                    required property string label
                    required property string value
                    required property string chip
                    required property string change

                    Layout.fillWidth: true
                    implicitHeight: Math.max(page.rowHeight, words.implicitHeight + (CheckModel.count < 10 ? 20 : 12))

                    Rectangle {
                        visible: row.index > 0
                        x: 32
                        width: parent.width - 64
                        height: 2
                        color: Theme.line
                    }

                    Column {
                        id: words
                        x: 36
                        anchors.verticalCenter: parent.verticalCenter
                        width: parent.width - 72 - (edit.visible ? edit.width + 20 : known.visible ? known.width + 20 : 0)
                        spacing: 2

                        Label {
                            width: parent.width
                            text: row.chip === "" || known.visible ? row.label : row.label + " · " + row.chip
                            font.pixelSize: Theme.caption
                            color: Theme.inkSoft
                        }

                        Label {
                            width: parent.width
                            text: row.value === "" ? qsTr("（没有填）") : row.value
                            font.pixelSize: Theme.lead
                            font.weight: Font.Medium
                            color: row.value === "" ? Theme.inkSoft : Theme.ink
                        }
                    }

                    Row {
                        id: known
                        visible: row.chip !== "" && row.change === "" && Theme.scale === 1
                        anchors.right: parent.right
                        anchors.rightMargin: 36
                        anchors.verticalCenter: parent.verticalCenter
                        spacing: 12

                        Symbol {
                            anchors.verticalCenter: parent.verticalCenter
                            size: Math.round(Theme.caption * 1.3)
                            name: "shield-check"
                            tone: Theme.ok
                        }

                        Label {
                            anchors.verticalCenter: parent.verticalCenter
                            text: row.chip
                            font.pixelSize: Theme.caption
                            color: Theme.ok
                        }
                    }

                    PushButton {
                        id: edit
                        visible: row.change !== ""
                        anchors.right: parent.right
                        anchors.rightMargin: 28
                        anchors.verticalCenter: parent.verticalCenter
                        implicitHeight: 88
                        symbol: "pencil"
                        size: Theme.body
                        text: qsTr("修改")
                        Accessible.description: row.label
                        onClicked: CheckModel.change(row.change)
                    }
                }
            }
        }
    }

    NumberedList {
        visible: CheckModel.prints
        title: qsTr("接下来")
        lines: [qsTr("信息对的话，点“确认打印”"), qsTr("机器打印一张A4证明，带电子印章"), qsTr("从机器的出纸口取走")]
    }
}
