import QtQuick
import QtQuick.Layouts
import CitizensWindow
import "../theme"

// Always there: how to see the screen, a window instead, a person to help.
Rectangle {
    implicitHeight: Theme.footerHeight
    color: Theme.surface

    Rectangle {
        width: parent.width
        height: 2
        color: Theme.line
    }

    RowLayout {
        anchors.fill: parent
        anchors.margins: 12
        anchors.leftMargin: 30
        anchors.rightMargin: 30
        spacing: 12
        uniformCellSizes: true

        FootButton {
            text: qsTr("大字版")
            symbol: "text-size"
            toggles: true
            lit: Display.large
            onClicked: Display.toggleLarge()
        }

        FootButton {
            text: qsTr("高对比")
            symbol: "contrast-2"
            toggles: true
            lit: Display.contrast
            onClicked: Display.toggleContrast()
        }

        // a landscape panel is low enough as it is
        FootButton {
            visible: Theme.portrait
            text: qsTr("低位操作")
            symbol: "download"
            toggles: true
            lit: Display.reach
            onClicked: Display.toggleReach()
        }

        FootButton {
            visible: Chrome.canSlip
            text: qsTr("到窗口办理")
            symbol: "building-community"
            onClicked: Chrome.windowSlip()
        }

        FootButton {
            text: Chrome.helpLabel
            symbol: "headset"
            lit: Chrome.helpCalled
            onClicked: Chrome.callHelp()
        }
    }
}
