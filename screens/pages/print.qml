import QtQuick
import QtQuick.Layouts
import CitizensWindow
import "../controls"
import "../theme"

PageFrame {
    id: page

    readonly property string phase: PrintModel.phase
    readonly property bool refused: ["not_eligible", "hall_refused", "reprint_limit"].includes(PrintModel.notice.code) // again would say the same again
    property bool spoilt: false // she says that the paper is of no use, and is asked why
    readonly property bool busy: phase === "fetching" || phase === "printing"

    onPhaseChanged: spoilt = false

    title: PrintModel.title
    showExit: !busy && phase !== "done"
    showHome: !busy
    primaryText: busy ? "" : refused ? qsTr("到窗口办理") : phase === "done" ? qsTr("完成") : phase === "unproven" ? qsTr("拿到了") : qsTr("再打一次")
    primarySymbol: refused ? "building-community" : phase === "done" || phase === "unproven" ? "check" : "printer"
    onPrimary: refused ? Chrome.windowSlip() : phase === "done" ? Chrome.finish() : phase === "unproven" ? PrintModel.paperTaken() : PrintModel.printAgain()

    centred: true
    spacing: Theme.portrait ? 40 : Theme.gutter

    Symbol {
        Layout.alignment: Qt.AlignHCenter
        visible: page.refused
        size: Theme.portrait ? 220 : 130
        name: "file-off"
        tone: Theme.warn
    }

    PaperHint {
        visible: !page.refused
        Layout.alignment: Qt.AlignHCenter
        phase: page.phase
    }

    Label {
        Layout.fillWidth: true
        horizontalAlignment: Text.AlignHCenter
        text: PrintModel.notice.present ? PrintModel.notice.title : PrintModel.words
        font.pixelSize: Theme.portrait && !Display.large ? 52 : Theme.tile
        strong: true
        color: page.phase === "done" ? Theme.ok : page.busy ? Theme.ink : Theme.warn
    }

    Label {
        Layout.fillWidth: true
        visible: text !== ""
        horizontalAlignment: Text.AlignHCenter
        text: PrintModel.notice.text
        font.pixelSize: Theme.roomy
    }

    Label {
        Layout.fillWidth: true
        visible: text !== "" && !PrintModel.notice.present
        horizontalAlignment: Text.AlignHCenter
        text: PrintModel.pages
        font.pixelSize: Theme.roomy
        color: Theme.inkSoft
    }

    Busy {
        Layout.alignment: Qt.AlignHCenter
        visible: page.busy
    }

    PushButton {
        Layout.alignment: Qt.AlignHCenter
        Layout.preferredWidth: 420
        visible: page.phase === "unproven"
        symbol: "printer"
        text: qsTr("再打一次")
        onClicked: PrintModel.printAgain()
    }

    PushButton {
        Layout.alignment: Qt.AlignHCenter
        Layout.preferredWidth: 420
        visible: page.phase === "done" && !page.spoilt
        symbol: "alert-triangle"
        text: qsTr("纸有问题")
        onClicked: page.spoilt = true
    }

    Label {
        Layout.fillWidth: true
        visible: page.spoilt
        horizontalAlignment: Text.AlignHCenter
        text: qsTr("纸怎么了？原来那张作废，重打一张。")
        font.pixelSize: Theme.roomy
    }

    GridLayout {
        Layout.alignment: Qt.AlignHCenter
        visible: page.spoilt
        columns: 2
        columnSpacing: 18
        rowSpacing: 18

        Repeater {
            model: PrintModel.spoiledReasons

            PushButton {
                required property list<string> modelData

                Layout.preferredWidth: 380
                text: modelData[1]
                onClicked: PrintModel.spoiled(modelData[0])
            }
        }
    }

    Tip {
        visible: (page.phase === "done" && !page.spoilt) || page.busy
        symbol: page.busy ? "clock" : "id"
        tone: page.busy ? "info" : "ok"
        text: page.busy ? qsTr("打印的时候请不要拿走身份证，也不要走开。") : qsTr("还要办别的事，点“返回首页”。不办了，点“完成”，请带好身份证。")
    }
}
