import QtQuick
import QtQuick.Layouts
import CitizensWindow
import "../controls"
import "../theme"

PageFrame {
    id: page

    readonly property bool printing: DoneModel.receipt === "printing"
    readonly property bool asks: DoneModel.receipt === "unproven"
    readonly property bool roomy: Theme.portrait && !again && !DoneModel.recovered // trouble needs the place itself
    readonly property bool again: asks || DoneModel.receipt === "failed" || DoneModel.receipt === "waiting_paper"

    over: DoneModel.itemName
    title: DoneModel.headline
    notice: DoneModel.notice
    showExit: false
    showHome: true
    primaryText: qsTr("完成")
    primarySymbol: "check"
    onPrimary: Chrome.finish()

    GridLayout {
        Layout.fillWidth: true
        columns: Theme.portrait ? 1 : 2
        columnSpacing: Theme.gutter
        rowSpacing: Theme.gutter

        Card {
            Layout.fillWidth: true
            Layout.fillHeight: true
            Layout.preferredWidth: 1
            implicitHeight: numbers.implicitHeight + (page.roomy ? 60 : 56)
            border.color: Theme.ok
            border.width: 4

            ColumnLayout {
                id: numbers
                anchors.left: parent.left
                anchors.right: parent.right
                anchors.margins: 40
                anchors.verticalCenter: parent.verticalCenter
                spacing: 6

                RowLayout {
                    spacing: 20

                    Symbol {
                        size: Math.round(Theme.tile * 1.6)
                        name: "circle-check"
                        tone: Theme.ok
                    }

                    Label {
                        Layout.fillWidth: true
                        text: DoneModel.recovered ? qsTr("刚才屏幕中断过，您的申请没有丢，也不会重复") : DoneModel.delivery.title
                        color: Theme.ok
                        font.pixelSize: Theme.lead
                        strong: true
                    }
                }

                Label {
                    Layout.fillWidth: true
                    text: DoneModel.recovered ? DoneModel.delivery.title + "。" + DoneModel.delivery.text : DoneModel.delivery.text
                    font.pixelSize: page.roomy ? Theme.roomy : Theme.body
                    color: Theme.inkSoft
                }

                Rectangle {
                    Layout.fillWidth: true
                    Layout.topMargin: page.roomy ? 16 : 8
                    Layout.preferredHeight: 2
                    color: Theme.line
                }

                Label {
                    Layout.topMargin: page.roomy ? 14 : 8
                    text: qsTr("受理编号")
                    font.pixelSize: Theme.portrait ? Theme.body : Theme.caption
                    color: Theme.inkSoft
                }

                Label {
                    Layout.fillWidth: true
                    text: DoneModel.number
                    font.pixelSize: Theme.headline
                    fontSizeMode: Text.HorizontalFit
                    minimumPixelSize: 32
                    strong: true
                    wrapMode: Text.NoWrap
                }

                Label {
                    Layout.fillWidth: true
                    visible: DoneModel.corrects !== ""
                    text: qsTr("补正的办件 %1").arg(DoneModel.corrects)
                    font.pixelSize: Theme.portrait ? Theme.body : Theme.caption
                    fontSizeMode: Text.HorizontalFit
                    minimumPixelSize: 24
                    wrapMode: Text.NoWrap
                }

                Label {
                    Layout.topMargin: page.roomy ? 14 : 8
                    text: qsTr("查询码")
                    font.pixelSize: Theme.portrait ? Theme.body : Theme.caption
                    color: Theme.inkSoft
                }

                Label {
                    Layout.fillWidth: true
                    text: DoneModel.code
                    font.pixelSize: Math.round(Theme.display * (Theme.portrait && !Display.large ? 1.25 : 1))
                    strong: true
                    color: Theme.accent
                    font.letterSpacing: 6
                }
            }
        }

        ColumnLayout {
            Layout.fillWidth: true
            Layout.preferredWidth: 1
            spacing: Theme.gutter

            Card {
                Layout.fillWidth: true
                Layout.fillHeight: true
                implicitHeight: receipt.implicitHeight + (page.roomy ? 56 : 48)
                color: page.again ? Theme.warnTint : Theme.surface

                ColumnLayout {
                    id: receipt
                    anchors.left: parent.left
                    anchors.right: parent.right
                    anchors.margins: 32
                    anchors.verticalCenter: parent.verticalCenter
                    spacing: 22

                    RowLayout {
                        spacing: 22

                        Symbol {
                            size: page.roomy ? 76 : 64
                            name: "receipt"
                            tone: page.again ? Theme.warn : Theme.accent
                        }

                        ColumnLayout {
                            Layout.fillWidth: true
                            spacing: 2

                            Label {
                                Layout.fillWidth: true
                                text: DoneModel.receiptWords
                                font.pixelSize: Theme.portrait && !Display.large ? Theme.lead : Theme.body
                                font.weight: page.again ? Font.Bold : Font.Medium
                                color: page.again ? Theme.warn : Theme.ink
                            }

                            Label {
                                Layout.fillWidth: true
                                visible: text !== ""
                                text: DoneModel.receiptAdvice
                                font.pixelSize: Theme.caption + 2
                            }
                        }

                        Busy {
                            visible: page.printing
                        }
                    }

                    RowLayout {
                        visible: page.again
                        spacing: 20
                        uniformCellSizes: true

                        PushButton {
                            visible: page.asks
                            Layout.fillWidth: true
                            look: "primary"
                            text: qsTr("拿到了")
                            onClicked: DoneModel.paperTaken()
                        }

                        PushButton {
                            Layout.fillWidth: true
                            symbol: "printer"
                            text: qsTr("再打一次")
                            onClicked: DoneModel.printAgain()
                        }
                    }
                }
            }

            Card {
                Layout.fillWidth: true
                Layout.fillHeight: true
                implicitHeight: after.implicitHeight + (page.roomy ? 56 : 48)

                ColumnLayout {
                    id: after
                    anchors.left: parent.left
                    anchors.right: parent.right
                    anchors.margins: 32
                    anchors.verticalCenter: parent.verticalCenter
                    spacing: page.roomy ? 16 : 14

                    Label {
                        text: qsTr("接下来")
                        font.pixelSize: Theme.lead
                        strong: true
                    }

                    IconLine {
                        visible: DoneModel.limit !== ""
                        size: Theme.body
                        symbol: "calendar-time"
                        text: qsTr("部门承诺%1办好，不用再来。").arg(DoneModel.limit)
                    }

                    IconLine {
                        size: Theme.body
                        symbol: "search"
                        text: qsTr("查进度：%1").arg(DoneModel.place)
                    }
                }
            }
        }
    }
}
